//! What can go wrong with the database.

use std::path::PathBuf;

use rusqlite::ffi;

use super::query::lease::DEADLINE;

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The SQLite that was built in has the WAL-reset bug (sqlite.org/wal.html).
    #[error("SQLite {0} can lose commits when two connections write; 3.51.3 or newer is needed")]
    OldSqlite(&'static str),
    /// The folder of the database cannot be made or written.
    #[error("the folder `{}` cannot be written: {error}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file of the database cannot be opened.
    #[error("`{}` cannot be opened: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Another program holds the database.
    #[error("`{}` is in use by another green-inbox", .0.display())]
    InUse(PathBuf),
    /// The file is a database of another program, or none.
    #[error("`{}` is not a database of green-inbox", .0.display())]
    Foreign(PathBuf),
    /// Pages of the file are not what they should be.
    #[error("`{}` is damaged, or the `-wal` beside it belongs to another file", .0.display())]
    Damaged(PathBuf),
    /// The file was written by a newer version.
    #[error("`{}` was written by a newer green-inbox (schema {version})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        version: i64,
    },
    /// A setting of SQLite did not hold.
    #[error("SQLite did not take the setting {name} = {wanted}; it says {found}")]
    Pragma {
        /// The setting.
        name: &'static str,
        /// What it must be.
        wanted: &'static str,
        /// What it is.
        found: String,
    },
    /// The schema cannot be brought up to date.
    #[error("the schema cannot be brought up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// SQLite refused.
    #[error("SQLite refused: {0}")]
    Write(#[from] rusqlite::Error),
    /// SQLite refused to read.
    #[error("SQLite refused: {0}")]
    Read(#[from] sqlx::Error),
    /// The system gave no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// The thread that writes could not be started.
    #[error("the writer could not be started: {0}")]
    Thread(std::io::Error),
}

/// Nothing was stored, and the caller may try again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Too much is waiting.
    #[error("too many notifications wait for the disk")]
    Full,
    /// The writer has stopped.
    #[error("the writer has stopped")]
    Stopped,
    /// The commit failed.
    #[error("the database could not commit")]
    Failed,
}

/// Nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database failed.
    #[error("the database could not be read: {0}")]
    Database(sqlx::Error),
    /// A page of a file cannot be read, or is not what it should be.
    #[error("a file of the database is damaged: {0}")]
    Damaged(sqlx::Error),
    /// The bytes of an event are not those that came.
    #[error("the stored bytes of the event are not those that were received")]
    DamagedBody,
    /// What is derived from the events is being made anew.
    #[error("what is derived from the events is being made anew")]
    Rebuilding,
    /// The query was interrupted at its deadline.
    #[error("the query took longer than {} s and was interrupted", DEADLINE.as_secs())]
    TooLong,
    /// Other readers hold all connections or all memory for answers.
    #[error("other readers hold all connections or all memory for answers")]
    Busy,
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::Database(refusal) => match primary_code(refusal.code().as_deref()) {
                Some(ffi::SQLITE_INTERRUPT) => Self::TooLong,
                Some(
                    ffi::SQLITE_CORRUPT
                    | ffi::SQLITE_NOTADB
                    | ffi::SQLITE_IOERR
                    | ffi::SQLITE_CANTOPEN
                    | ffi::SQLITE_READONLY,
                ) => Self::Damaged(error),
                _ => Self::Database(error),
            },
            _ => Self::Database(error),
        }
    }
}

/// The code of SQLite without its extension (sqlite.org/rescode.html), of what sqlx shows.
fn primary_code(code: Option<&str>) -> Option<i32> {
    let extended: i32 = code?.parse().ok()?;
    Some(extended & 0xff)
}
