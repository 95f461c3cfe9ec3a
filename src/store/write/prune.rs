//! Deletes the oldest events, a step at a time, and gives pages back to the file system.

use rusqlite::{Connection, Result, Transaction, TransactionBehavior, params};

use super::dedup::{self, DedupIndex};
use crate::store::event::BodyDigest;
use crate::store::event_connection::EventConnection;
use crate::store::past::{Past, PastEvent, past_events};

/// Events in one step. The notifications that arrive meanwhile wait for its commit.
const EVENTS: u64 = 64;

/// Bytes of bodies in one step. A step has at least one event, whatever the size of its body.
const BYTES: u64 = 256 * 1024;

const OLDEST: &str = concat!(past_events!(), "WHERE seq <= ?1 ORDER BY seq");

/// What the dedup index and the figures need of an event. Its bytes are those on disk.
const KEY: &str = "SELECT digest, length(body) FROM event WHERE seq = ?1";

/// Its drift and its number of deliveries go with it (`ON DELETE CASCADE`).
const DELETE: &str = "DELETE FROM event WHERE seq <= ?1";

const PROGRESS: &str = "UPDATE retention SET seq = max(seq, ?1)";

/// The result of one step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Deleted events.
    pub events: u64,
    /// Bytes of their bodies on disk.
    pub bytes: u64,
    /// Every event up to this seq is deleted.
    pub through: i64,
}

/// Deletes the oldest events up to the seq `through`, as many as one step allows. When this returns `Ok`, they
/// are deleted on disk.
pub(super) fn step(
    connection: &EventConnection,
    dedup: &mut DedupIndex,
    through: i64,
) -> Result<Pruned> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let (mut past, mut keys) = (Past::default(), Vec::new());
    let mut pruned = Pruned {
        through,
        ..Pruned::default()
    };
    {
        let mut oldest = transaction.prepare_cached(OLDEST)?;
        let mut key = transaction.prepare_cached(KEY)?;
        let mut rows = oldest.query([through])?;
        let mut last = through;
        while let Some(row) = rows.next()? {
            if pruned.events == EVENTS || pruned.bytes >= BYTES {
                // More events are left up to `through`.
                pruned.through = last;
                break;
            }
            last = row.get(0)?;
            let timestamp: Option<i64> = row.get(5)?;
            // A row whose values are damaged is deleted all the same.
            if let Ok(event) = PastEvent::read(row, connection) {
                past.add(&transaction, event)?;
            }
            let (digest, bytes) = key.query_row([last], |row| {
                Ok((row.get::<_, BodyDigest>(0).ok(), row.get::<_, i64>(1)))
            })?;
            pruned.events += 1;
            pruned.bytes += bytes.unwrap_or(0).unsigned_abs();
            keys.extend(dedup::key(timestamp, digest, last));
        }
    }
    past.write(&transaction)?;
    dedup::delete(&transaction, &mut keys)?;
    transaction
        .prepare_cached(DELETE)?
        .execute([pruned.through])?;
    transaction
        .prepare_cached(PROGRESS)?
        .execute(params![pruned.through])?;
    transaction.commit()?;
    dedup.deleted(&keys);
    Ok(pruned)
}

/// Gives up to `pages` free pages back to the file system. Returns how many there were to give back.
pub(super) fn release(connection: &Connection, pages: u32) -> Result<u32> {
    let free: u32 = connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    let pages = pages.min(free);
    if pages > 0 {
        let sql = format!("PRAGMA incremental_vacuum({pages})");
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
    }
    Ok(pages)
}
