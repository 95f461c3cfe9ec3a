//! The projection of one database: its connections, and how it advances.

use std::path::Path;

use rusqlite::{Connection, ffi};

use super::file::{self, Source, Stamp};
use super::slice::Slice;
use crate::store::error::OpenError;

/// WAL pages; from this many on, the projection runs a checkpoint.
const CHECKPOINT_PAGES: i64 = 4000;

/// The projection and a read-only connection to the events that it is derived from.
#[derive(Debug)]
pub(crate) struct Projection {
    pub(super) source: Source,
    events: Connection,
    connection: Connection,
    /// The state of the files after the projection's own last write.
    stamp: Stamp,
    pub(super) seq: i64,
    /// Number of unreadable events that were skipped.
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
    pub(crate) fn open(database: &Path, epoch: &str) -> Result<Self, OpenError> {
        let source = Source {
            database: database.to_owned(),
            epoch: epoch.to_owned(),
        };
        let events = file::events(database)?;
        let connection = file::open(&source, &events)?;
        Self::of(source, events, connection)
    }

    fn of(source: Source, events: Connection, connection: Connection) -> Result<Self, OpenError> {
        connection.set_prepared_statement_cache_capacity(64);
        let seq =
            connection.query_row("SELECT seq FROM progress", [], |row| row.get::<_, i64>(0))?;
        Ok(Self {
            stamp: Stamp::of(&source.database),
            source,
            events,
            connection,
            seq,
            damaged: 0,
        })
    }

    /// Replaces the file with an empty one.
    pub(super) fn replace(&mut self) -> Result<(), OpenError> {
        let events = file::events(&self.source.database)?;
        let connection = file::replace(&self.source)?;
        *self = Self::of(self.source.clone(), events, connection)?;
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
        self.check_untouched()?;
        // A failure to read the events says nothing about the projection file.
        let slice = Slice::read(&self.events, self.seq).map_err(AdvanceError::Transient)?;
        let Some(slice) = slice else {
            return Ok(false);
        };
        let written = self.write(&slice);
        let after = Stamp::of(&self.source.database);
        // Even a slice that was rolled back, as on a full disk, may have written to the WAL.
        if after.has_same_main_file(&self.stamp) {
            self.stamp = after;
        }
        written?;
        self.check_untouched()?;
        self.seq = slice.last();
        self.damaged += slice.damaged;
        self.checkpoint()?;
        Ok(true)
    }

    fn write(&mut self, slice: &Slice) -> rusqlite::Result<()> {
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        slice.project(&transaction, &self.events)?;
        transaction.commit()
    }

    /// Checkpoints the WAL once it is long enough. Between checkpoints the main file does not
    /// change.
    fn checkpoint(&mut self) -> Result<(), AdvanceError> {
        // NOOP only reports how many pages are waiting.
        let waiting = self.checkpoint_as("PRAGMA wal_checkpoint(NOOP)")?;
        if waiting >= CHECKPOINT_PAGES {
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
