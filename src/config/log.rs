//! `[log]`: what the program says of its work.

use serde::{Deserialize, Serialize};

/// What the program says of its work, on standard error.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// The least grave level that is written.
    pub level: Level,
    /// How a line is written.
    pub format: Format,
}

/// How grave a line is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Bodies that do not fit their description, and failures.
    Error,
    /// Types that were never seen, and what an operator should look at.
    Warn,
    /// The work.
    #[default]
    Info,
    /// Types that are ignored, and what helps to find a fault.
    Debug,
    /// Everything.
    Trace,
}

/// How a line is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}
