//! `[log]`: logging to standard error.

use serde::{Deserialize, Serialize};

/// Logging to standard error.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// The least severe level to write.
    pub level: Level,
    /// The format of each line.
    pub format: Format,
}

/// Severity of a log line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Notifications that do not match their documented shape, and failures.
    Error,
    /// Unknown notification types, and conditions that need an operator.
    Warn,
    /// Normal operation.
    #[default]
    Info,
    /// Ignored notification types, and details for troubleshooting.
    Debug,
    /// Everything.
    Trace,
}

/// Format of a log line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Readable text.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}
