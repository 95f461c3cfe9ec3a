//! What is copied from a PostgreSQL that several nodes share: events with the seqs that they have there, and counts of
//! deliveries.

use rusqlite::{Connection, Result, params};

use crate::store::event::NewEvent;

const COUNT: &str = "
    INSERT INTO repeat (seq, deliveries, last_received_at) VALUES (?1, ?2, ?3)
    ON CONFLICT (seq) DO UPDATE SET deliveries = excluded.deliveries, last_received_at = excluded.last_received_at";

const CHANGES: &str = "UPDATE shared_copy SET changes = ?1";

/// What one commit copies.
#[derive(Debug, Default)]
pub(in crate::store) struct Copied {
    /// Events with their seqs, in order.
    pub(in crate::store) events: Vec<(i64, NewEvent)>,
    /// Counts of events that are copied already.
    pub(in crate::store) counts: Vec<CopiedCount>,
    /// Every change of a count up to this number is copied then.
    pub(in crate::store) changes: Option<i64>,
}

/// How often an event came.
#[derive(Debug)]
pub(in crate::store) struct CopiedCount {
    pub(in crate::store) seq: i64,
    pub(in crate::store) deliveries: i64,
    pub(in crate::store) last_received_at: i64,
}

impl Copied {
    /// Writes the counts, within the open transaction.
    pub(super) fn write_counts(&self, connection: &Connection) -> Result<()> {
        let mut write = connection.prepare_cached(COUNT)?;
        for count in &self.counts {
            write.execute(params![count.seq, count.deliveries, count.last_received_at])?;
        }
        if let Some(changes) = self.changes {
            connection.prepare_cached(CHANGES)?.execute([changes])?;
        }
        Ok(())
    }
}
