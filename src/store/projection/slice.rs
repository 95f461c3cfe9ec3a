//! Some events in a row, projected together.

use rusqlite::types::{FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, Result, Transaction, params};

use super::projector::Projector;
use super::row::Row;
use crate::store::OutcomeKind;

/// Events that are read at once.
pub(super) const EVENTS: usize = 2048;

/// Bytes of bodies that are read at once, one body at least.
const BYTES: usize = 2 * 1024 * 1024;

const READ: &str = "
    SELECT seq, received_at, outcome, id_instance, type_instance, type_webhook, type_message,
           chat_id, sender, timestamp, digest, body
    FROM event WHERE seq > ?1 ORDER BY seq";

/// Some events in a row; at least one.
pub(super) struct Slice(Vec<Row>);

impl Slice {
    /// Reads what is behind `seq`. It is read at once, so that the log of the events is held only
    /// for as long as that takes.
    pub(super) fn read(events: &Connection, seq: i64) -> Result<Option<Self>> {
        let mut statement = events.prepare_cached(READ)?;
        let mut found = statement.query([seq])?;
        let mut rows = Vec::new();
        let mut bytes = 0;
        while let Some(row) = found.next()? {
            let body: Vec<u8> = row.get(11)?;
            bytes += body.len();
            rows.push(Row {
                seq: row.get(0)?,
                received_at: row.get(1)?,
                outcome: outcome(row.get_ref(2)?)?,
                id_instance: row.get(3)?,
                type_instance: row.get(4)?,
                type_webhook: row.get(5)?,
                type_message: row.get(6)?,
                chat_id: row.get(7)?,
                sender: row.get(8)?,
                timestamp: row.get(9)?,
                digest: row.get(10)?,
                body,
            });
            if bytes >= BYTES || rows.len() >= EVENTS {
                break;
            }
        }
        Ok((!rows.is_empty()).then_some(Self(rows)))
    }

    /// The seq of its last event.
    pub(super) fn last(&self) -> i64 {
        self.0.last().map_or(0, |row| row.seq)
    }

    /// Writes what the events say.
    pub(super) fn project(&self, projection: &Transaction<'_>, events: &Connection) -> Result<()> {
        let mut projector = Projector::new(projection, events)?;
        for row in &self.0 {
            projector.event(row)?;
        }
        projector.finish()?;
        if let Some(last) = self.0.last() {
            projection
                .prepare_cached("UPDATE progress SET seq = ?1, digest = ?2")?
                .execute(params![last.seq, last.digest])?;
        }
        Ok(())
    }
}

fn outcome(name: ValueRef<'_>) -> FromSqlResult<OutcomeKind> {
    OutcomeKind::from_name(name.as_str()?).ok_or(FromSqlError::InvalidType)
}
