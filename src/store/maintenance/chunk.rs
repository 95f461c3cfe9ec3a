//! Reads consecutive events and parses them again.

use bytes::Bytes;
use rusqlite::{ErrorCode, OptionalExtension, Result, Row};

use crate::clock::UnixMillis;
use crate::notification::parse;
use crate::store::columns::{EventColumns, event_columns};
use crate::store::compressed::size_of_event;
use crate::store::event::{BodyDigest, NewEvent};
use crate::store::event_connection::EventConnection;
use crate::store::thinned::digest_of_event;
use crate::store::write::reparse::Reparsed;

const COLUMNS: &str = concat!(
    "SELECT ",
    event_columns!(),
    ", seq, digest, body, (SELECT fields FROM drift WHERE drift.seq = event.seq), "
);

/// When a chunk ends. The event that reaches a limit is its last one.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Limits {
    /// Events that are read.
    pub(in crate::store) events: usize,
    /// Bytes of their bodies.
    pub(in crate::store) bytes: usize,
    /// Events that change.
    pub(in crate::store) changed: usize,
    /// Bytes of their bodies, which are written again with them.
    pub(in crate::store) changed_bytes: usize,
}

/// Consecutive events, parsed again.
#[derive(Debug, Default)]
pub(in crate::store) struct Chunk {
    /// The last of them. `None`: there are no more.
    pub(in crate::store) last: Option<i64>,
    /// How many were read.
    pub(in crate::store) events: u64,
    /// How many of them are damaged on disk.
    pub(in crate::store) damaged: u64,
    /// Those that are parsed differently.
    pub(in crate::store) changed: Vec<Reparsed>,
    bytes: usize,
    changed_bytes: usize,
}

impl Chunk {
    /// Reads the events after `seq`, up to `end`.
    pub(in crate::store) fn read(
        connection: &EventConnection,
        (seq, end): (i64, i64),
        limits: Limits,
    ) -> Result<Self> {
        let select = format!(
            "{COLUMNS}{}, {} FROM event",
            digest_of_event(connection)?,
            size_of_event(connection)?
        );
        match Self::read_at_once(connection, &select, (seq, end), limits) {
            Err(failure) if is_damage(&failure) => {
                Self::read_around_damage(connection, &select, (seq, end), limits)
            }
            read => read,
        }
    }

    fn read_at_once(
        connection: &EventConnection,
        select: &str,
        (seq, end): (i64, i64),
        limits: Limits,
    ) -> Result<Self> {
        let sql = format!("{select} WHERE seq > ?1 AND seq <= ?2 ORDER BY seq");
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query([seq, end])?;
        let mut chunk = Self::default();
        while let Some(row) = rows.next()? {
            let seq = row.get(EventColumns::COUNT)?;
            chunk.take(seq, connection, row)?;
            if chunk.is_full(limits) {
                break;
            }
        }
        Ok(chunk)
    }

    /// Reads each seq by itself, so that a damaged page hides only its own events.
    fn read_around_damage(
        connection: &EventConnection,
        select: &str,
        (seq, end): (i64, i64),
        limits: Limits,
    ) -> Result<Self> {
        let newest = "SELECT seq FROM sqlite_sequence WHERE name = 'event'";
        let newest: i64 = connection.query_row(newest, [], |row| row.get(0))?;
        let sql = format!("{select} WHERE seq = ?1");
        let mut statement = connection.prepare_cached(&sql)?;
        let mut chunk = Self::default();
        for seq in (seq + 1..=newest.min(end)).take(limits.events) {
            chunk.last = Some(seq);
            let found = statement.query_row([seq], |row| chunk.take(seq, connection, row));
            match found.optional() {
                Ok(_) => {}
                Err(failure) if is_damage(&failure) => {
                    chunk.events += 1;
                    chunk.damaged += 1;
                }
                Err(failure) => return Err(failure),
            }
            if chunk.is_full(limits) {
                break;
            }
        }
        Ok(chunk)
    }

    fn take(&mut self, seq: i64, connection: &EventConnection, row: &Row<'_>) -> Result<()> {
        let digest: BodyDigest = row.get(EventColumns::COUNT + 1)?;
        let body = connection.body(row, (EventColumns::COUNT + 2, EventColumns::COUNT + 5))?;
        let Some(body) = body else {
            self.last = Some(seq);
            self.events += 1;
            self.damaged += 1;
            return Ok(());
        };
        let body = Bytes::from(body.into_owned());
        let drift: Option<String> = row.get(EventColumns::COUNT + 3)?;
        let stored: BodyDigest = row.get(EventColumns::COUNT + 4)?;
        let event = NewEvent::new(UnixMillis(0), &parse(&body), &body);
        let before = EventColumns::read(row)
            .ok()
            .filter(|_| stored == event.digest);
        self.last = Some(seq);
        self.events += 1;
        self.damaged += u64::from(before.is_none());
        self.bytes += body.len();
        if let Some(before) = before
            && (before != event.columns || drift != event.drift)
        {
            self.changed_bytes += body.len();
            self.changed.push(Reparsed {
                seq,
                digest,
                before: before.outcome,
                columns: event.columns,
                drift: event.drift,
            });
        }
        Ok(())
    }

    fn is_full(&self, limits: Limits) -> bool {
        self.events >= limits.events as u64
            || self.bytes >= limits.bytes
            || self.changed.len() >= limits.changed
            || self.changed_bytes >= limits.changed_bytes
    }
}

fn is_damage(failure: &rusqlite::Error) -> bool {
    failure.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
}
