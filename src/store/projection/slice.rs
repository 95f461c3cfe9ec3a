//! A slice: consecutive events that are projected in one transaction.

use rusqlite::{ErrorCode, OptionalExtension, Result, Transaction, params};

use super::projector::Projector;
use super::row::Row;
use crate::store::columns::{EventColumns, event_columns};
use crate::store::event_connection::EventConnection;
use crate::store::thinned::stored_digest;

/// Maximum number of events in a slice.
pub(super) const EVENTS: usize = 2048;

/// Bytes of bodies after which a slice ends. A slice has at least one event, whatever the size of
/// its body.
const BYTES: usize = 2 * 1024 * 1024;

/// Selects what [`Row::read`] reads.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            event_columns!(),
            ", seq, received_at, digest, body, EXISTS (SELECT 1 FROM drift WHERE drift.seq = event.seq), ",
            stored_digest!("event"),
            ", size FROM event ",
            $condition
        )
    };
}

/// The events after a seq, up to another one.
const READ: &str = select!("WHERE seq > ?1 AND seq <= ?2 ORDER BY seq");

/// One event by its seq.
pub(super) const READ_ONE: &str = select!("WHERE seq = ?1");

/// The newest seq assigned so far. SQLite keeps it in a separate table.
const NEWEST: &str = "SELECT seq FROM sqlite_sequence WHERE name = 'event'";

/// Consecutive events, without the unreadable ones.
pub(super) struct Slice {
    pub(super) rows: Vec<Row>,
    /// The last seq of the slice.
    last: i64,
    /// Number of events that are unreadable or altered.
    pub(super) damaged: u64,
}

impl Slice {
    /// Reads the slice after `seq`, up to `end`; `None` if there are no events. The whole slice is
    /// read before any of it is projected, so that the read transaction pins the events' WAL only
    /// briefly.
    pub(super) fn read(events: &EventConnection, seq: i64, end: i64) -> Result<Option<Self>> {
        match Self::read_at_once(events, seq, end) {
            Err(failure) if is_damage(&failure) => Self::read_around_damage(events, seq, end),
            read => read,
        }
    }

    /// Reads the events after `seq`, up to `last`, which is at most [`EVENTS`] later. The slice ends at `last`
    /// unless its bodies are too large.
    pub(super) fn read_through(events: &EventConnection, seq: i64, last: i64) -> Result<Self> {
        let read = Self::read(events, seq, last)?;
        let mut slice = read.unwrap_or_else(|| Self::after(seq));
        let bytes: usize = slice.rows.iter().map(|row| row.body.len()).sum();
        if bytes < BYTES {
            slice.last = last;
        }
        Ok(slice)
    }

    fn read_at_once(events: &EventConnection, seq: i64, end: i64) -> Result<Option<Self>> {
        let mut statement = events.prepare_cached(READ)?;
        let mut found = statement.query([seq, end])?;
        let mut slice = Self::after(seq);
        let mut bytes = 0;
        while let Some(row) = found.next()? {
            slice.take(row.get(EventColumns::COUNT)?, Row::read(row, events));
            bytes += slice.rows.last().map_or(0, |row| row.body.len());
            if bytes >= BYTES || slice.rows.len() >= EVENTS {
                break;
            }
        }
        Ok(slice.if_any(seq))
    }

    /// Reads each seq by itself, so that a damaged page hides only its own events.
    fn read_around_damage(events: &EventConnection, seq: i64, end: i64) -> Result<Option<Self>> {
        let newest: i64 = events.query_row(NEWEST, [], |row| row.get(0))?;
        let mut statement = events.prepare_cached(READ_ONE)?;
        let mut slice = Self::after(seq);
        for seq in (seq + 1..=newest.min(end)).take(EVENTS) {
            match statement
                .query_row([seq], |row| Row::read(row, events))
                .optional()
            {
                Ok(None) => slice.last = seq,
                Ok(Some(row)) => slice.take(seq, Ok(row)),
                Err(failure) => slice.take(seq, Err(failure)),
            }
        }
        Ok(slice.if_any(seq))
    }

    fn after(seq: i64) -> Self {
        Self {
            rows: Vec::new(),
            last: seq,
            damaged: 0,
        }
    }

    fn take(&mut self, seq: i64, row: Result<Row>) {
        self.last = seq;
        match row {
            Ok(row) => {
                self.damaged += u64::from(!row.is_intact);
                self.rows.push(row);
            }
            Err(_) => self.damaged += 1,
        }
    }

    fn if_any(self, seq: i64) -> Option<Self> {
        (self.last > seq).then_some(self)
    }

    /// The last seq of the slice.
    pub(super) fn last(&self) -> i64 {
        self.last
    }

    /// Projects the events.
    pub(super) fn project(
        &self,
        projection: &Transaction<'_>,
        events: &EventConnection,
    ) -> Result<()> {
        let mut projector = Projector::new(projection, events)?;
        for row in &self.rows {
            projector.event(row)?;
        }
        projector.finish()?;
        let last = self.rows.last().filter(|row| row.seq == self.last);
        projection
            .prepare_cached("UPDATE progress SET seq = ?1, digest = ?2")?
            .execute(params![self.last, last.map(|row| row.digest)])
            .map(drop)
    }
}

/// Whether a failure means that a page of the file is damaged or unreadable.
pub(super) fn is_damage(failure: &rusqlite::Error) -> bool {
    matches!(
        failure.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure)
    )
}
