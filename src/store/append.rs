//! One notification into the open transaction.

use rusqlite::{Connection, Result, params};

use super::repeats::Repeats;
use super::{Appended, NewEvent};

const INSERT: &str = "
    INSERT INTO event (received_at, outcome, reason, id_instance, type_instance, type_webhook,
                       type_message, id_message, chat_id, sender, timestamp, digest, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

/// What an event has of drift, in place of what it had.
pub(super) const INSERT_DRIFT: &str = "
    INSERT INTO drift (seq, fields) VALUES (?1, ?2)
    ON CONFLICT (seq) DO UPDATE SET fields = excluded.fields";

const COUNT: &str = "
    INSERT INTO repeat (seq, deliveries, last_received_at)
    SELECT seq, 2, max(received_at, ?2) FROM event WHERE seq = ?1
    ON CONFLICT (seq) DO UPDATE SET
        deliveries = deliveries + 1,
        last_received_at = max(last_received_at, excluded.last_received_at)";

/// Stores `event`, or counts it where the same body is stored already.
///
/// It is looked for first: an insert that meets a unique index would use up a `seq`, and who sees
/// a gap thinks that something is lost.
pub(super) fn append(
    connection: &Connection,
    repeats: &mut Repeats,
    event: &NewEvent,
) -> Result<Appended> {
    if let Some(seq) = repeats.find(connection, event)? {
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
    let seq = connection.last_insert_rowid();
    if let Some(fields) = &event.drift {
        connection
            .prepare_cached(INSERT_DRIFT)?
            .execute(params![seq, fields])?;
    }
    repeats.add(event, seq);
    Ok(Appended {
        seq,
        repeated: false,
    })
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
