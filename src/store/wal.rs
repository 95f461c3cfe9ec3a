//! How large the WALs of the two files may grow.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::{Connection, Result};

/// Bytes of a page, SQLite's default.
pub(in crate::store) const PAGE: u64 = 4096;

/// Bytes in a WAL that start a checkpoint. A budget lowers it.
const CHECKPOINT: u64 = 4000 * PAGE;

/// Bytes that a WAL keeps after a burst. A budget lowers it.
const KEPT: u64 = 64 * 1024 * 1024;

/// Each of the two WALs starts a checkpoint at this part of the budget.
const PART: u64 = 32;

/// Leaves an empty WAL behind, unless a reader needs it.
const TRUNCATE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// The sizes of a WAL, which follow the budget of all files. Clones share the budget.
#[derive(Debug, Clone)]
pub(in crate::store) struct WalBytes {
    /// Bytes; 0 means no budget.
    budget: Arc<AtomicU64>,
    /// The budget that this clone has applied to its connection.
    applied: u64,
}

impl WalBytes {
    /// The sizes within a budget of all files; 0 means no budget.
    pub(in crate::store) fn of_budget(max_bytes: u64) -> Self {
        Self {
            budget: Arc::new(AtomicU64::new(max_bytes)),
            applied: max_bytes,
        }
    }

    /// Changes the budget for all clones. Each applies it at its next [`refit`](Self::refit).
    pub(in crate::store) fn set_budget(&self, max_bytes: u64) {
        self.budget.store(max_bytes, Ordering::Relaxed);
    }

    /// The budget's part for a WAL, at most `most`.
    fn part(&self, most: u64) -> u64 {
        match self.budget.load(Ordering::Relaxed) {
            0 => most,
            budget => (budget / PART).min(most),
        }
    }

    /// Pages in the WAL that start a checkpoint.
    pub(in crate::store) fn checkpoint_pages(&self) -> i32 {
        i32::try_from(self.part(CHECKPOINT) / PAGE).unwrap_or(i32::MAX)
    }

    /// Sets the bytes that the WAL of a connection keeps after a burst.
    pub(in crate::store) fn limit(&self, connection: &Connection) -> Result<()> {
        let kept = i64::try_from(self.part(KEPT)).unwrap_or(i64::MAX);
        connection.pragma_update_and_check(None, "journal_size_limit", kept, |_| Ok(()))
    }

    /// Whether the budget has changed since it was applied.
    pub(in crate::store) fn is_outdated(&self) -> bool {
        self.budget.load(Ordering::Relaxed) != self.applied
    }

    /// Applies the changed budget to the connection that writes. A large WAL of before is emptied at once, or, if a
    /// reader needs it, at a later checkpoint: without that it could fill a small budget for ever.
    pub(in crate::store) fn refit(&mut self, connection: &Connection) -> Result<()> {
        self.applied = self.budget.load(Ordering::Relaxed);
        self.limit(connection)?;
        let busy: u32 = connection.pragma_query_value(None, "busy_timeout", |row| row.get(0))?;
        // Notifications must not wait for a reader.
        connection.busy_timeout(Duration::ZERO)?;
        let emptied = connection.query_row(TRUNCATE, [], |_| Ok(()));
        connection.busy_timeout(Duration::from_millis(busy.into()))?;
        emptied
    }
}

#[cfg(test)]
mod tests {
    use super::WalBytes;

    #[test]
    fn budget_lowers_the_size_of_the_wal() {
        assert_eq!(WalBytes::of_budget(0).checkpoint_pages(), 4000);
        assert_eq!(WalBytes::of_budget(1 << 40).checkpoint_pages(), 4000);
        assert_eq!(WalBytes::of_budget(8 << 20).checkpoint_pages(), 64);
    }
}
