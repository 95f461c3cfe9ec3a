//! One notification into the open transaction.

use rusqlite::{Connection, OptionalExtension, Result, named_params};

use super::{Appended, NewEvent};

/// A body without a timestamp that comes again within this time is the same event: GREEN-API keeps
/// a notification for 24 hours, and an hour is for clocks and queues.
const UNTIMED_REPEAT_MILLIS: i64 = (24 + 1) * 60 * 60 * 1000;

const INSERT: &str = "
    INSERT INTO event (received_at, outcome, reason, id_instance, type_instance, type_webhook,
                       type_message, id_message, chat_id, sender, timestamp, digest, body)
    VALUES (:received_at, :outcome, :reason, :id_instance, :type_instance, :type_webhook,
            :type_message, :id_message, :chat_id, :sender, :timestamp, :digest, :body)
    ON CONFLICT DO NOTHING";

const FIND: &str = "SELECT seq FROM event WHERE timestamp = ?1 AND digest = ?2";

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
pub(super) fn append(connection: &Connection, event: &NewEvent) -> Result<Appended> {
    if event.timestamp.is_none() {
        let since = event.received_at.0.saturating_sub(UNTIMED_REPEAT_MILLIS);
        let first = connection
            .prepare_cached(FIND_UNTIMED)?
            .query_row((event.digest, since), |row| row.get(0))
            .optional()?;
        if let Some(seq) = first {
            return count(connection, seq, event);
        }
    }
    let inserted = connection.prepare_cached(INSERT)?.execute(named_params! {
        ":received_at": event.received_at.0,
        ":outcome": event.outcome.name(),
        ":reason": event.reason,
        ":id_instance": event.id_instance,
        ":type_instance": event.type_instance,
        ":type_webhook": event.type_webhook,
        ":type_message": event.type_message,
        ":id_message": event.id_message,
        ":chat_id": event.chat_id,
        ":sender": event.sender,
        ":timestamp": event.timestamp,
        ":digest": event.digest,
        ":body": &event.body[..],
    })?;
    if inserted == 1 {
        return Ok(Appended {
            seq: connection.last_insert_rowid(),
            repeated: false,
        });
    }
    let seq = connection
        .prepare_cached(FIND)?
        .query_row((event.timestamp, event.digest), |row| row.get(0))?;
    count(connection, seq, event)
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
