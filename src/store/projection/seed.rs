//! Starts a new projection after the deleted events, with the facts that are kept about them.

use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::store::event_connection::EventConnection;
use crate::store::past::{Past, PastEvent, PastState, deleted_through, past_events};

/// The events that are about to be deleted.
const DOOMED: &str = concat!(past_events!(), "WHERE seq <= ?1 ORDER BY seq");

/// Writes the beginning of the projection of `events`. Every event up to `forgotten` is left out, whether or not it
/// is deleted yet.
pub(super) fn write(
    projection: &Connection,
    connection: &EventConnection,
    epoch: &str,
    forgotten: i64,
) -> Result<()> {
    // One snapshot, because the writer may be deleting.
    let events = connection.unchecked_transaction()?;
    let seq = deleted_through(&events)?.max(forgotten);
    let mut past = Past::all(&events)?;
    {
        let mut statement = events.prepare_cached(DOOMED)?;
        let mut rows = statement.query([seq])?;
        while let Some(row) = rows.next()? {
            // An unreadable event was not projected either.
            if let Ok(event) = PastEvent::read(row, connection) {
                past.add(&events, event)?;
            }
        }
    }
    let digest: Option<Vec<u8>> = events
        .query_row("SELECT digest FROM event WHERE seq = ?1", [seq], |row| {
            row.get(0)
        })
        .optional()?;
    for (id, instance) in past.instances() {
        projection.prepare_cached(
            "INSERT INTO instance (id_instance, type_instance, newest, received_at, type_webhook, timestamp)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            id,
            instance.type_instance,
            instance.seq,
            instance.received_at,
            instance.type_webhook,
            instance.timestamp
        ])?;
        if let Some(state) = &instance.state {
            insert_state(projection, id, state)?;
        }
    }
    projection
        .execute(
            "INSERT INTO progress (one, seq, digest, epoch, forgotten) VALUES (1, ?1, ?2, ?3, ?1)",
            params![seq, digest, epoch],
        )
        .map(drop)
}

/// Inserts a state whose event is forgotten: a row for when it began, and one for when it was last reported.
pub(super) fn insert_state(projection: &Connection, id: i64, state: &PastState) -> Result<()> {
    for timestamp in [state.since, state.timestamp] {
        projection
            .prepare_cached("INSERT OR IGNORE INTO state VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![id, timestamp, state.seq, state.name])?;
    }
    Ok(())
}
