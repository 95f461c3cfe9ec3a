//! Writes what a stored body is parsed as.

use rusqlite::{Connection, Result, params};

use super::dedup;
use super::transaction::INSERT_DRIFT;
use crate::model::OutcomeKind;
use crate::store::columns::{EventColumns, event_columns};
use crate::store::event::BodyDigest;

const UPDATE: &str = concat!(
    "UPDATE event SET (",
    event_columns!(),
    ") = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) WHERE seq = ?11"
);

const DELETE_DRIFT: &str = "DELETE FROM drift WHERE seq = ?1";

/// A stored event that this version parses differently.
#[derive(Debug)]
pub(in crate::store) struct Reparsed {
    /// The event.
    pub(in crate::store) seq: i64,
    /// The digest of the body that was received.
    pub(in crate::store) digest: BodyDigest,
    /// How it was parsed before.
    pub(in crate::store) before: OutcomeKind,
    /// Its columns now.
    pub(in crate::store) columns: EventColumns,
    /// Its drift now.
    pub(in crate::store) drift: Option<String>,
}

impl Reparsed {
    /// Writes it within the open transaction. Returns whether the event is still stored.
    pub(in crate::store) fn write(&self, connection: &Connection) -> Result<bool> {
        let mut update = connection.prepare_cached(UPDATE)?;
        self.columns.bind(&mut update)?;
        update.raw_bind_parameter(EventColumns::COUNT + 1, self.seq)?;
        if update.raw_execute()? == 0 {
            return Ok(false);
        }
        match &self.drift {
            Some(fields) => connection
                .prepare_cached(INSERT_DRIFT)?
                .execute(params![self.seq, fields])?,
            None => connection
                .prepare_cached(DELETE_DRIFT)?
                .execute([self.seq])?,
        };
        dedup::index(connection, self.columns.timestamp, self.digest, self.seq)?;
        Ok(true)
    }

    /// The outcome before and now.
    pub(in crate::store) fn change(&self) -> (&'static str, &'static str) {
        (self.before.name(), self.columns.outcome.name())
    }
}
