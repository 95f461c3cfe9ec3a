//! What a run reports, while it copies and at its end.

use std::ops::ControlFlow;

use crate::store::damaged::DamagedSeqs;

/// Receives the last seq in the file and the seq to reach, and decides whether to go on.
pub(super) type Observe<'o> = &'o mut dyn FnMut(i64, i64) -> ControlFlow<()>;

/// The result of a backup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackedUp {
    /// Events that were copied.
    pub events: u64,
    /// Events that were deleted from the file, because the database has deleted them.
    pub deleted: u64,
    /// Duplicate counts that were copied.
    pub updated: u64,
    /// The last seq that the file covers.
    pub newest: i64,
    /// Copied events whose bytes are damaged in the database, and events that could not be read.
    pub damaged: DamagedSeqs,
    /// Whether the file was replaced by a new copy, because events were parsed again, or the database was
    /// migrated or restored.
    pub is_replaced: bool,
    /// Whether the file has everything. If not, the run was stopped.
    pub is_complete: bool,
}
