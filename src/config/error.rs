//! Configuration errors: the setting, the problem and the fix.

/// The configuration is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file or the environment cannot be parsed into settings.
    #[error("{0}")]
    Unreadable(String),
    /// A setting has an invalid value.
    #[error("{key}: {problem}\n  help: {help}")]
    Setting {
        /// The setting's name, `section.key`.
        key: &'static str,
        /// What is wrong with the value.
        problem: String,
        /// How to fix it.
        help: String,
    },
}

impl ConfigError {
    /// An error about the setting `key`.
    pub fn setting(key: &'static str, problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Setting {
            key,
            problem: problem.into(),
            help: help.into(),
        }
    }
}
