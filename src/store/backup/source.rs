//! The database that is copied. Every read is a short transaction of its own.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Result, Row, params};
use sha2::{Digest, Sha256};

use super::error::BackupError;
use super::schema::{Schema, THINNED, quoted};
use crate::store::compressed::size_of_event;
use crate::store::damaged::DamagedSeqs;
use crate::store::event::BodyDigest;
use crate::store::event_connection::EventConnection;
use crate::store::maintenance::{database, identity};
use crate::store::stored::{Stored, StoredRow, read};
use crate::store::thinned::digest_of_event;

/// Events in a slice, at most.
const EVENTS: usize = 1000;

/// Bytes of bodies after which a slice ends. It has at least one event, whatever the size of its body.
const BYTES: usize = 4 * 1024 * 1024;

/// Rows of another table that are read at once.
pub(super) const ROWS: u32 = 5000;

/// How long a read waits for a lock of the server, which holds one only while it recovers its WAL.
const BUSY: Duration = Duration::from_secs(5);

/// A read-only connection to the database.
pub(super) struct Source {
    connection: EventConnection,
    /// Selects what [`StoredEvent::read`] reads.
    select: String,
    /// The schema when the backup began.
    pub(super) schema: Schema,
    /// The epoch when the backup began.
    pub(super) epoch: String,
}

/// Consecutive events, with what belongs to each.
#[derive(Debug, Default)]
pub(super) struct Slice {
    pub(super) events: Vec<StoredEvent>,
    /// Rows of `drift` for these events.
    pub(super) drift: Vec<StoredRow>,
    /// Rows of `thinned` for these events.
    pub(super) thinned: Vec<StoredRow>,
    /// The last seq that the slice covers.
    pub(super) last: i64,
}

/// An event, as it is stored.
#[derive(Debug)]
pub(super) struct StoredEvent {
    pub(super) seq: i64,
    /// Its timestamp, and the part of its digest that the dedup index holds.
    pub(super) key: Option<(i64, Vec<u8>)>,
    pub(super) row: StoredRow,
    bytes: usize,
    is_intact: bool,
}

impl Source {
    /// Opens the database at `path`. Its server may be running.
    pub(super) fn open(path: &Path) -> std::result::Result<Self, BackupError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(BackupError::Read)?;
        connection.busy_timeout(BUSY).map_err(BackupError::Read)?;
        database::recognize(&connection, path)?;
        database::refuse_newer(&connection, path)?;
        let epoch = identity::epoch(&connection).map_err(BackupError::Read)?;
        let digest = digest_of_event(&connection).map_err(BackupError::Read)?;
        let size = size_of_event(&connection).map_err(BackupError::Read)?;
        Ok(Self {
            epoch: epoch.ok_or_else(|| BackupError::Old(path.to_owned()))?,
            schema: Schema::read(&connection).map_err(BackupError::Read)?,
            select: format!("SELECT *, {digest}, {size} FROM event"),
            connection: EventConnection::new(connection),
        })
    }

    /// The tables and how each is copied.
    pub(super) fn tables(&self) -> Result<Vec<(String, super::schema::Way)>> {
        self.schema.tables(&self.connection)
    }

    /// Bytes of a page.
    pub(super) fn page_size(&self) -> Result<u32> {
        self.connection
            .pragma_query_value(None, "page_size", |row| row.get(0))
    }

    /// Bytes of the database, without its WAL.
    pub(super) fn bytes(&self) -> Result<u64> {
        let pages: u32 = self
            .connection
            .pragma_query_value(None, "page_count", |row| row.get(0))?;
        Ok(u64::from(pages) * u64::from(self.page_size()?))
    }

    /// The oldest and the newest stored seq, and the newest seq that was ever assigned.
    pub(super) fn range(&self) -> Result<(Option<i64>, Option<i64>, i64)> {
        self.connection.query_row(
            "SELECT (SELECT min(seq) FROM event), (SELECT max(seq) FROM event),
                    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
    }

    /// The digest of the event `seq`, if it is stored.
    pub(super) fn digest(&self, seq: i64) -> Result<Option<Vec<u8>>> {
        digest(&self.connection, seq)
    }

    /// Reads the slice after `seq`, up to `end`, and adds the damaged events in it to `damaged`.
    pub(super) fn slice(&self, seq: i64, end: i64, damaged: &mut DamagedSeqs) -> Result<Slice> {
        match self.slice_at_once(seq, end) {
            Err(failure) if is_damage(&failure) => self.slice_around_damage(seq, end, damaged),
            slice => slice,
        }
        .inspect(|slice| {
            let altered = slice.events.iter().filter(|event| !event.is_intact);
            altered.for_each(|event| damaged.add(event.seq));
        })
    }

    fn slice_at_once(&self, seq: i64, end: i64) -> Result<Slice> {
        let transaction = self.connection.unchecked_transaction()?;
        let mut slice = Slice {
            last: end,
            ..Slice::default()
        };
        {
            let mut statement = transaction.prepare_cached(&format!(
                "{} WHERE seq > ?1 AND seq <= ?2 ORDER BY seq",
                self.select
            ))?;
            let mut rows = statement.query([seq, end])?;
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                let event = StoredEvent::read(row, &self.connection)?;
                bytes += event.bytes;
                slice.events.push(event);
                if slice.events.len() == EVENTS || bytes >= BYTES {
                    slice.last = slice.events.last().map_or(end, |event| event.seq);
                    break;
                }
            }
        }
        slice.drift = self.beside("drift", seq, slice.last)?;
        slice.thinned = self.beside(THINNED, seq, slice.last)?;
        Ok(slice)
    }

    /// The rows of a table that belong to the events after `seq`, up to `last`. None if there is no such table.
    fn beside(&self, table: &str, seq: i64, last: i64) -> Result<Vec<StoredRow>> {
        if !self.schema.has(table) {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT * FROM {} WHERE seq > ?1 AND seq <= ?2",
            quoted(table)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_map([seq, last], read)?.collect()
    }

    /// Reads each seq by itself, so that an unreadable page hides only its own events.
    fn slice_around_damage(&self, seq: i64, end: i64, damaged: &mut DamagedSeqs) -> Result<Slice> {
        let mut slice = Slice::default();
        // The server must not thin an event between the statements that read it.
        let _transaction = self.connection.unchecked_transaction()?;
        let one = format!("{} WHERE seq = ?1", self.select);
        let mut statement = self.connection.prepare_cached(&one)?;
        slice.last = end.min(seq.saturating_add(100));
        for seq in seq + 1..=slice.last {
            match statement
                .query_row([seq], |row| StoredEvent::read(row, &self.connection))
                .optional()
            {
                Ok(event) => slice.events.extend(event),
                Err(_) => damaged.add(seq),
            }
            for (table, rows) in [("drift", &mut slice.drift), (THINNED, &mut slice.thinned)] {
                rows.extend(self.beside(table, seq - 1, seq).unwrap_or_default());
            }
        }
        Ok(slice)
    }

    /// Reads up to [`ROWS`] rows of a table whose `key` is after `after` and at most `end`, in its order.
    pub(super) fn rows(
        &self,
        table: &str,
        key: &str,
        after: i64,
        end: i64,
    ) -> Result<Vec<(i64, StoredRow)>> {
        let (table, key) = (quoted(table), quoted(key));
        let sql = format!(
            "SELECT {key}, * FROM {table} WHERE {key} > ?1 AND {key} <= ?2 ORDER BY {key} LIMIT ?3"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![after, end, ROWS], |row| {
            let mut values = read(row)?;
            values.remove(0);
            Ok((row.get(0)?, values))
        })?;
        rows.collect()
    }

    /// Passes each row of a table to `write`.
    pub(super) fn each_row(
        &self,
        table: &str,
        mut write: impl FnMut(&StoredRow) -> std::result::Result<(), BackupError>,
    ) -> std::result::Result<(), BackupError> {
        let sql = format!("SELECT * FROM {}", quoted(table));
        let mut statement = self.connection.prepare(&sql).map_err(BackupError::Read)?;
        let mut rows = statement.query([]).map_err(BackupError::Read)?;
        while let Some(row) = rows.next().map_err(BackupError::Read)? {
            write(&read(row).map_err(BackupError::Read)?)?;
        }
        Ok(())
    }
}

/// The digest of the event `seq`, if it is stored.
pub(super) fn digest(connection: &Connection, seq: i64) -> Result<Option<Vec<u8>>> {
    connection
        .query_row("SELECT digest FROM event WHERE seq = ?1", [seq], |row| {
            row.get(0)
        })
        .optional()
}

impl StoredEvent {
    /// Reads an event and checks its body. The last two columns, which are not stored, are the digest and the size that
    /// it must have.
    fn read(row: &Row<'_>, connection: &EventConnection) -> Result<Self> {
        let seq = row.get("seq")?;
        let timestamp: Option<i64> = row.get("timestamp")?;
        let digest: BodyDigest = row.get("digest")?;
        let mut values = read(row)?;
        let size = values.len() - 1;
        values.pop();
        let stored = values.pop();
        let bytes = row.get_ref("body")?.as_blob()?.len();
        let body = connection.body(row, ("body", size))?;
        Ok(Self {
            seq,
            key: timestamp.map(|timestamp| (timestamp, digest[..8].to_vec())),
            bytes,
            is_intact: body
                .is_some_and(|body| stored == Some(Stored::Blob(Sha256::digest(&body).to_vec()))),
            row: values,
        })
    }
}

/// Whether a failure means that a page or a row of the file is damaged.
pub(super) fn is_damage(failure: &rusqlite::Error) -> bool {
    matches!(
        failure.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::SystemIoFailure)
    ) || matches!(
        failure,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
    )
}
