//! What is wrong with the configuration, and the fix.

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file or the environment cannot be read into the settings.
    #[error("{0}")]
    Unreadable(String),
    /// A setting has a value that cannot be used.
    #[error("{key}: {problem}\n  help: {help}")]
    Setting {
        /// The setting, as `section.key`.
        key: &'static str,
        /// What is wrong.
        problem: String,
        /// What to do.
        help: String,
    },
}

impl ConfigError {
    /// The setting `key` cannot be used.
    pub fn setting(key: &'static str, problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Setting {
            key,
            problem: problem.into(),
            help: help.into(),
        }
    }
}
