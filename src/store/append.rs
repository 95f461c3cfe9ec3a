//! One notification into the open transaction.

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::{Appended, NewEvent};

/// A body without a timestamp that comes again within this time is the same event: GREEN-API keeps
/// a notification for 24 hours, and an hour is for clocks and queues.
const UNTIMED_REPEAT_MILLIS: i64 = (24 + 1) * 60 * 60 * 1000;

const INSERT: &str = "
    INSERT INTO event (received_at, outcome, reason, id_instance, type_instance, type_webhook,
                       type_message, id_message, chat_id, sender, timestamp, digest, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

const FIND: &str = "SELECT seq FROM event WHERE digest = ?1 AND timestamp = ?2";

const FIND_UNTIMED: &str = "
    SELECT seq FROM event
    WHERE timestamp IS NULL AND digest = ?1 AND received_at >= ?2
    ORDER BY received_at DESC LIMIT 1";

const COUNT: &str = "
    INSERT INTO repeat (seq, deliveries, last_received_at)
    SELECT seq, 2, max(received_at, ?2) FROM event WHERE seq = ?1
    ON CONFLICT (seq) DO UPDATE SET
        deliveries = deliveries + 1,
        last_received_at = max(last_received_at, excluded.last_received_at)";

/// Stores `event`, or counts it where the same body is stored already.
///
/// It is looked for first: an insert that meets the unique index would use up a `seq`, and who sees
/// a gap thinks that something is lost.
pub(super) fn append(connection: &Connection, event: &NewEvent) -> Result<Appended> {
    if let Some(seq) = find(connection, event)? {
        return count(connection, seq, event);
    }
    connection.prepare_cached(INSERT)?.execute(params![
        event.received_at.0,
        event.outcome.name(),
        event.reason,
        event.id_instance,
        event.type_instance,
        event.type_webhook,
        event.type_message,
        event.id_message,
        event.chat_id,
        event.sender,
        event.timestamp,
        event.digest,
        &event.body[..],
    ])?;
    Ok(Appended {
        seq: connection.last_insert_rowid(),
        repeated: false,
    })
}

/// The event that has the same body.
fn find(connection: &Connection, event: &NewEvent) -> Result<Option<i64>> {
    let (sql, bound) = match event.timestamp {
        Some(timestamp) => (FIND, timestamp),
        None => (
            FIND_UNTIMED,
            event.received_at.0.saturating_sub(UNTIMED_REPEAT_MILLIS),
        ),
    };
    connection
        .prepare_cached(sql)?
        .query_row((event.digest, bound), |row| row.get(0))
        .optional()
}

fn count(connection: &Connection, seq: i64, event: &NewEvent) -> Result<Appended> {
    connection
        .prepare_cached(COUNT)?
        .execute((seq, event.received_at.0))?;
    Ok(Appended {
        seq,
        repeated: true,
    })
}
