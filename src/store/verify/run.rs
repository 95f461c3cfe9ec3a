//! One verification, from the WAL to the projection.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::check::{Check, Progress};
use super::derived::DerivedCheck;
use super::{bodies, derived, structure, wal};
use crate::store::beside::with_ending;
use crate::store::damaged::DamagedSeqs;
use crate::store::dictionary;
use crate::store::error::OpenError;
use crate::store::event_connection::EventConnection;
use crate::store::maintenance::database;

/// The result of [`verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Events that were read.
    pub events: u64,
    /// Problems of the WAL and of the structure of the file.
    pub problems: Vec<String>,
    /// Events that cannot be read, or whose bytes differ from the received ones.
    pub damaged: DamagedSeqs,
    /// Events whose columns differ from a fresh parse of their body: `reprocess` would change them.
    pub reparsed: DamagedSeqs,
    /// The projection.
    pub derived: DerivedCheck,
}

impl Verified {
    /// Whether nothing is damaged.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
            && self.damaged.is_empty()
            && !matches!(self.derived, DerivedCheck::Differs { .. })
    }
}

/// Verifies the database at `path`.
///
/// # Errors
///
/// The file cannot be opened, or is no database of green-inbox.
pub fn verify(path: &Path, progress: Progress<'_>) -> Result<Verified, OpenError> {
    let path = &fs::canonicalize(path).map_err(|error| OpenError::File {
        path: path.to_owned(),
        error,
    })?;
    // First, because SQLite leaves out the end of a damaged WAL when it opens the database.
    let mut problems: Vec<_> = wal::problem(path).into_iter().collect();
    let connection = open(path)?;
    progress(Check::Structure, 0, 0);
    problems.extend(structure::problems(&connection));
    problems.extend(dictionary::problem(&connection));
    let read = bodies::verify(&connection, progress);
    let derived = derived::verify(path, &connection, progress);
    Ok(Verified {
        events: read.events,
        problems,
        damaged: read.damaged,
        reparsed: read.reparsed,
        derived,
    })
}

/// Opens the database for reading only.
fn open(path: &Path) -> Result<EventConnection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "cell_size_check", "ON")?;
    database::recognize(&connection, path).map_err(|error| name_interrupted(error, path))?;
    database::refuse_newer(&connection, path)?;
    Ok(EventConnection::new(connection))
}

/// Turns the error of a read-only connection that would have to roll a transaction back into one that says so.
fn name_interrupted(error: OpenError, path: &Path) -> OpenError {
    match &error {
        OpenError::Write(failure)
            if matches!(
                failure.sqlite_error_code(),
                Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen)
            ) && with_ending(path, "-journal").exists() =>
        {
            OpenError::Interrupted(path.to_owned())
        }
        _ => error,
    }
}
