//! How far a running server is with parsing all events again.

use serde::Serialize;
use utoipa::ToSchema;

/// The pass that a server was last asked for. All zero if it never was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReprocessPass {
    /// Whether events are left to be parsed again.
    pub is_running: bool,
    /// Every event up to this seq is parsed again.
    pub seq: i64,
    /// The seq at which the pass ends.
    pub last_seq: i64,
    /// Events that were read.
    pub events: i64,
    /// Events that are damaged on disk and were left unchanged.
    pub damaged: i64,
    /// Events whose outcome or columns changed, by outcome.
    pub changed: Vec<OutcomeChange>,
}

/// Events that were parsed differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutcomeChange {
    /// Their outcome before.
    pub before: String,
    /// Their outcome now.
    pub after: String,
    /// How many there are.
    pub events: u64,
}
