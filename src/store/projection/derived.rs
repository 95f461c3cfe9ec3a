//! The projection of one database: its connections, and how it advances.

use std::path::Path;

use rusqlite::{Connection, Transaction, ffi};

use super::file::{self, Source, Stamp};
use super::forget::{SEQS, forget};
use super::slice::Slice;
use crate::store::error::OpenError;
use crate::store::event_connection::EventConnection;
use crate::store::wal::{PAGE, WalBytes};

/// Free pages of the file, as a part of all. Beyond it, some are given back to the file system.
const FREE_PART: i64 = 4;

/// Free pages that are given back after each slice that forgets events.
const RELEASED_PAGES: i64 = 64;

/// The projection and a read-only connection to the events that it is derived from.
#[derive(Debug)]
pub(crate) struct Projection {
    pub(super) source: Source,
    events: EventConnection,
    connection: Connection,
    /// The state of the files after the projection's own last write.
    stamp: Stamp,
    pub(super) seq: i64,
    /// Every event up to this seq is forgotten.
    pub(super) forgotten: i64,
    wal: WalBytes,
    /// Number of events that were skipped because they are unreadable or altered.
    pub(super) damaged: u64,
}

/// Why the projection did not advance.
#[derive(Debug)]
pub(crate) enum AdvanceError {
    /// The file is no longer usable and must be rebuilt.
    Lost(String),
    /// The failure may go away; the file itself is fine, and a retry may succeed.
    Transient(rusqlite::Error),
}

impl From<rusqlite::Error> for AdvanceError {
    fn from(failure: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{CannotOpen, DatabaseCorrupt, NotADatabase, ReadOnly};
        let is_lost = match (failure.sqlite_error(), failure.sqlite_error_code()) {
            (_, Some(CannotOpen | DatabaseCorrupt | NotADatabase | ReadOnly)) => true,
            // A failed write, as on a full disk, leaves what is already in the file intact.
            (Some(error), _) => matches!(
                error.extended_code,
                ffi::SQLITE_IOERR_READ
                    | ffi::SQLITE_IOERR_SHORT_READ
                    | ffi::SQLITE_IOERR_DATA
                    | ffi::SQLITE_IOERR_CORRUPTFS
            ),
            (None, _) => false,
        };
        if is_lost {
            Self::Lost(failure.to_string())
        } else {
            Self::Transient(failure)
        }
    }
}

impl Projection {
    /// Opens the projection of `database`, rebuilding the file if it does not fit.
    pub(crate) fn open(database: &Path, epoch: &str, wal: WalBytes) -> Result<Self, OpenError> {
        let source = Source {
            database: database.to_owned(),
            epoch: epoch.to_owned(),
        };
        let events = file::events(database)?;
        let connection = file::open(&source, &events)?;
        Self::of(source, events, connection, wal)
    }

    /// Creates the projection of `database` without the events up to `forgotten`. There must be no file yet.
    pub(in crate::store) fn create(
        database: &Path,
        epoch: &str,
        forgotten: i64,
    ) -> Result<Self, OpenError> {
        let source = Source {
            database: database.to_owned(),
            epoch: epoch.to_owned(),
        };
        let events = file::events(database)?;
        let connection = file::create(&source, &events, forgotten)?;
        Self::of(source, events, connection, WalBytes::of_budget(0))
    }

    fn of(
        source: Source,
        events: EventConnection,
        connection: Connection,
        wal: WalBytes,
    ) -> Result<Self, OpenError> {
        connection.set_prepared_statement_cache_capacity(96);
        wal.limit(&connection)?;
        let (seq, forgotten) =
            connection.query_row("SELECT seq, forgotten FROM progress", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        Ok(Self {
            stamp: Stamp::of(&source.database),
            source,
            events,
            connection,
            seq,
            forgotten,
            wal,
            damaged: 0,
        })
    }

    /// Replaces the file with a new one that begins after the events that were forgotten.
    pub(super) fn replace(&mut self) -> Result<(), OpenError> {
        let events = file::events(&self.source.database)?;
        let connection = file::replace(&self.source, &events, self.forgotten)?;
        *self = Self::of(self.source.clone(), events, connection, self.wal.clone())?;
        Ok(())
    }

    /// Replaces the file with one of another epoch, which begins after the events that were forgotten.
    pub(super) fn begin_epoch(&mut self, epoch: &str) -> Result<(), OpenError> {
        let events = file::events(&self.source.database)?;
        let source = Source {
            epoch: epoch.to_owned(),
            ..self.source.clone()
        };
        file::remove(&source.database)?;
        let connection = file::create(&source, &events, self.forgotten)?;
        *self = Self::of(source, events, connection, self.wal.clone())?;
        Ok(())
    }

    /// Deletes the projection file of the database at `database`.
    pub(crate) fn remove(database: &Path) -> Result<(), OpenError> {
        file::remove(database)
    }

    /// The last projected seq.
    pub(crate) fn seq(&self) -> i64 {
        self.seq
    }

    /// Checks that nothing but this projection has changed the file since its last write.
    pub(super) fn check_untouched(&self) -> Result<(), AdvanceError> {
        if Stamp::of(&self.source.database) == self.stamp {
            Ok(())
        } else {
            let problem = "it was removed, replaced or changed by another program";
            Err(AdvanceError::Lost(problem.to_owned()))
        }
    }

    /// Projects the next slice of events. Returns `false` if there is none.
    pub(crate) fn advance(&mut self) -> Result<bool, AdvanceError> {
        self.advance_to(i64::MAX)
    }

    /// Projects the next slice of events up to the seq `end`. Returns `false` if there is none.
    pub(crate) fn advance_to(&mut self, end: i64) -> Result<bool, AdvanceError> {
        self.check_untouched()?;
        // A failure to read the events says nothing about the projection file.
        let slice = Slice::read(&self.events, self.seq, end).map_err(AdvanceError::Transient)?;
        let Some(slice) = slice else {
            return Ok(false);
        };
        let written = self.write(|projection, events| slice.project(projection, events));
        self.written(written)?;
        self.seq = slice.last();
        self.damaged += slice.damaged;
        self.checkpoint()?;
        Ok(true)
    }

    /// Forgets the next events up to `last`, which is projected.
    pub(super) fn forget(&mut self, last: i64) -> Result<(), AdvanceError> {
        self.check_untouched()?;
        let last = last.min(self.forgotten + SEQS);
        let slice = Slice::read_through(&self.events, self.forgotten, last)
            .map_err(AdvanceError::Transient)?;
        // What is forgotten must be on disk before the events are deleted: they are needed to forget them.
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        let written = self.write(|projection, events| forget(&slice, projection, events));
        self.connection
            .pragma_update(None, "synchronous", "NORMAL")?;
        self.written(written)?;
        self.forgotten = slice.last();
        let released = self.release();
        self.written(released)?;
        self.checkpoint()
    }

    /// Bytes inside the file that are free for new rows.
    pub(super) fn free_bytes(&self) -> u64 {
        let free = self.count("PRAGMA freelist_count").unwrap_or(0);
        free.unsigned_abs() * PAGE
    }

    fn count(&self, pragma: &str) -> rusqlite::Result<i64> {
        let mut statement = self.connection.prepare_cached(pragma)?;
        statement.query_row([], |row| row.get(0))
    }

    /// Gives free pages back to the file system if there are many.
    fn release(&mut self) -> rusqlite::Result<()> {
        let free = self.count("PRAGMA freelist_count")?;
        if free <= RELEASED_PAGES || free * FREE_PART <= self.count("PRAGMA page_count")? {
            return Ok(());
        }
        let sql = format!("PRAGMA incremental_vacuum({RELEASED_PAGES})");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }

    fn write(
        &mut self,
        change: impl FnOnce(&Transaction<'_>, &EventConnection) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        change(&transaction, &self.events)?;
        transaction.commit()
    }

    /// Notes the state of the files after the projection's own write.
    fn written(&mut self, written: rusqlite::Result<()>) -> Result<(), AdvanceError> {
        let after = Stamp::of(&self.source.database);
        // Even a slice that was rolled back, as on a full disk, may have written to the WAL.
        if after.has_same_main_file(&self.stamp) {
            self.stamp = after;
        }
        written?;
        self.check_untouched()
    }

    /// Whether the budget of all files has changed.
    pub(super) fn is_budget_new(&self) -> bool {
        self.wal.is_outdated()
    }

    /// Applies a changed budget to the WAL.
    pub(super) fn refit(&mut self) -> Result<(), AdvanceError> {
        self.check_untouched()?;
        let refitted = self.wal.refit(&self.connection);
        self.stamp = Stamp::of(&self.source.database);
        Ok(refitted?)
    }

    /// Checkpoints the WAL once it is long enough. Between checkpoints the main file does not
    /// change.
    fn checkpoint(&mut self) -> Result<(), AdvanceError> {
        // NOOP only reports how many pages are waiting.
        let waiting = self.checkpoint_as("PRAGMA wal_checkpoint(NOOP)")?;
        if waiting >= i64::from(self.wal.checkpoint_pages()) {
            self.checkpoint_as("PRAGMA wal_checkpoint(PASSIVE)")?;
            self.stamp = Stamp::of(&self.source.database);
        }
        Ok(())
    }

    /// Runs a checkpoint and returns the number of WAL pages that are not in the main file yet.
    fn checkpoint_as(&self, pragma: &str) -> rusqlite::Result<i64> {
        let mut statement = self.connection.prepare_cached(pragma)?;
        statement.query_row([], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?))
    }
}
