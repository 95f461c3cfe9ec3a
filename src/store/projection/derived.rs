//! The projection of some events: its file, and what moves it on.

use std::path::Path;

use rusqlite::{Connection, ffi};

use super::file::{self, Source, Stamp};
use super::slice::Slice;
use crate::store::error::OpenError;

/// Pages of the WAL after which it is checkpointed.
const CHECKPOINT_PAGES: i64 = 4000;

/// The projection and the events that it is made of.
#[derive(Debug)]
pub(crate) struct Projection {
    pub(super) source: Source,
    events: Connection,
    connection: Connection,
    /// What its own last write left behind.
    stamp: Stamp,
    pub(super) seq: i64,
    /// Events that could not be read and were passed over.
    pub(super) damaged: u64,
}

/// Why the projection did not advance.
#[derive(Debug)]
pub(crate) enum Setback {
    /// The file cannot be used any more.
    Lost(String),
    /// It may go on later.
    Passing(rusqlite::Error),
}

impl From<rusqlite::Error> for Setback {
    fn from(failure: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{CannotOpen, DatabaseCorrupt, NotADatabase, ReadOnly};
        let is_lost = match (failure.sqlite_error(), failure.sqlite_error_code()) {
            (_, Some(CannotOpen | DatabaseCorrupt | NotADatabase | ReadOnly)) => true,
            // Where something cannot be written, as on a full disk, what is there is still right.
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
            Self::Passing(failure)
        }
    }
}

impl Projection {
    /// Opens it, made anew where it does not fit.
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

    /// Begins anew with another file.
    pub(super) fn replace(&mut self) -> Result<(), OpenError> {
        let events = file::events(&self.source.database)?;
        let connection = file::replace(&self.source)?;
        *self = Self::of(self.source.clone(), events, connection)?;
        Ok(())
    }

    /// Takes the file of the projection of the events at `database` away.
    pub(crate) fn remove(database: &Path) -> Result<(), OpenError> {
        file::remove(database)
    }

    /// How far it is.
    pub(crate) fn seq(&self) -> i64 {
        self.seq
    }

    /// Whether the file is as its own last write left it.
    pub(super) fn check_untouched(&self) -> Result<(), Setback> {
        if Stamp::of(&self.source.database) == self.stamp {
            Ok(())
        } else {
            let problem = "it was removed, replaced or changed by another program";
            Err(Setback::Lost(problem.to_owned()))
        }
    }

    /// Projects some of the events behind its place. `false` if there are none.
    pub(crate) fn advance(&mut self) -> Result<bool, Setback> {
        self.check_untouched()?;
        // What is wrong with the events is not the fault of this file.
        let slice = Slice::read(&self.events, self.seq).map_err(Setback::Passing)?;
        let Some(slice) = slice else {
            return Ok(false);
        };
        let written = self.write(&slice);
        let after = Stamp::of(&self.source.database);
        // A slice that was rolled back, as on a full disk, may have left something in the WAL too.
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

    /// Moves the WAL into the file where it is long enough. Between checkpoints the file itself does
    /// not change.
    fn checkpoint(&mut self) -> Result<(), Setback> {
        // The first only says how much there is.
        let waiting = self.checkpoint_as("PRAGMA wal_checkpoint(NOOP)")?;
        if waiting >= CHECKPOINT_PAGES {
            self.checkpoint_as("PRAGMA wal_checkpoint(PASSIVE)")?;
            self.stamp = Stamp::of(&self.source.database);
        }
        Ok(())
    }

    /// Runs a checkpoint: how many pages of the WAL are not in the file yet.
    fn checkpoint_as(&self, pragma: &str) -> rusqlite::Result<i64> {
        let mut statement = self.connection.prepare_cached(pragma)?;
        statement.query_row([], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?))
    }
}
