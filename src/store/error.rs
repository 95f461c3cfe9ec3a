//! Errors of the store.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::ffi;

/// Maximum time that the statements of one lease take together; after it they are interrupted.
pub(in crate::store) const DEADLINE: Duration = Duration::from_secs(5);

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The SQLite that the program is linked with has the WAL-reset bug (sqlite.org/wal.html).
    #[error("SQLite {0} can lose commits when two connections write; 3.51.3 or newer is required")]
    OldSqlite(&'static str),
    /// The folder of the database cannot be created or written.
    #[error("the folder `{}` cannot be written: {error}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Error of the operating system.
        error: std::io::Error,
    },
    /// A file of the database cannot be opened.
    #[error("`{}` cannot be opened: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        error: std::io::Error,
    },
    /// Another process holds the lock of the database.
    #[error("`{}` is in use by another green-inbox", .0.display())]
    InUse(PathBuf),
    /// The file is a database of another program, or not a database.
    #[error("`{}` is not a database of green-inbox", .0.display())]
    Foreign(PathBuf),
    /// Pages of the file are corrupt.
    #[error("`{}` is damaged, or the `-wal` beside it belongs to another file", .0.display())]
    Damaged(PathBuf),
    /// A write to the file was interrupted, and a read-only connection cannot undo it.
    #[error("`{}` was being written when the writer was stopped", .0.display())]
    Interrupted(PathBuf),
    /// The file was written by a newer version.
    #[error("`{}` was written by a newer green-inbox (schema {version})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        version: i64,
    },
    /// The disk has no room for the copy that is made before a migration.
    #[error(
        "`{}` has to be migrated, and the disk has {free} bytes free, but a copy of it needs {needed}",
        path.display()
    )]
    NoRoomForCopy {
        /// The database.
        path: PathBuf,
        /// Bytes that the copy needs.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// SQLite did not apply a setting.
    #[error("SQLite did not apply the setting {name} = {wanted}; it reports {found}")]
    Pragma {
        /// The setting.
        name: &'static str,
        /// The required value.
        wanted: &'static str,
        /// The value that SQLite reports.
        found: String,
    },
    /// The schema cannot be migrated.
    #[error("the schema cannot be migrated: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A statement of the write connection failed.
    #[error("SQLite failed: {0}")]
    Write(#[from] rusqlite::Error),
    /// A statement of an asynchronous connection failed.
    #[error("SQLite failed: {0}")]
    Read(#[from] sqlx::Error),
    /// The operating system returned no random bytes.
    #[error("the operating system returned no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
}

impl OpenError {
    /// How to fix the problem, for the `help:` line below the error.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::OldSqlite(_) => "build with the bundled SQLite",
            Self::Folder { .. } => {
                "make the folder writable for the user who runs the program, or set another path"
            }
            Self::File { .. } => {
                "check its owner and mode, and that its disk is mounted, writable and not full"
            }
            Self::Damaged(_) => {
                "if you restored an older copy, the `-wal` and `-shm` of the previous file must not stay \
                 beside it: stop every server, move both aside, and start again; otherwise restore a \
                 backup, or recover the readable data with `sqlite3 FILE .recover`"
            }
            Self::Interrupted(_) => {
                "if it is a backup, run `green-inbox backup` to it again, which continues; otherwise start the \
                 server on it once"
            }
            Self::InUse(_) => "stop the other server, or set another path",
            Self::Foreign(_) => {
                "set another path; if this was a green-inbox database, restore a backup"
            }
            Self::Newer { .. } => "run the version that wrote it, or a newer version",
            Self::NoRoomForCopy { .. } => {
                "free space; or, if there is a backup elsewhere, start once with `serve --no-backup`"
            }
            Self::Pragma { .. } => "set a path on a local disk, not on a network file system",
            Self::Random(_) | Self::Thread(_) => {
                "check the limits and the sandbox of the process, and start again"
            }
            Self::Migrate(_) | Self::Write(_) | Self::Read(_) => {
                "check the disk and the file; run `sqlite3 FILE 'PRAGMA integrity_check'` for details"
            }
        }
    }
}

/// Nothing was stored, and the caller may try again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The queue of the writer is full.
    #[error("too many notifications are waiting to be committed")]
    Full,
    /// The writer has stopped.
    #[error("the writer has stopped")]
    Stopped,
    /// The commit failed.
    #[error("the commit failed")]
    Failed,
    /// PostgreSQL cannot be reached.
    #[error("PostgreSQL cannot be reached")]
    Away,
    /// The disk has less free space than `storage.min_free_bytes`.
    #[error("the disk has less free space than storage.min_free_bytes")]
    DiskLow,
    /// The files have reached `storage.max_bytes`.
    #[error("the files have reached storage.max_bytes")]
    OverBudget,
}

/// Nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database failed.
    #[error("the database could not be read: {0}")]
    Database(sqlx::Error),
    /// A page of a file is unreadable or corrupt.
    #[error("a file of the database is damaged: {0}")]
    Damaged(sqlx::Error),
    /// The stored bytes of an event differ from the received ones.
    #[error("the stored bytes of the event differ from the received ones")]
    DamagedBody,
    /// The projection is being rebuilt.
    #[error("the projection is being rebuilt")]
    Rebuilding,
    /// The query was interrupted at its deadline.
    #[error("the query took longer than {} s and was interrupted", DEADLINE.as_secs())]
    TooLong,
    /// Other readers hold all connections or all memory for responses.
    #[error("other readers hold all connections or all memory for responses")]
    Busy,
    /// The PostgreSQL of several nodes did not answer.
    #[error("{0}")]
    Away(String),
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

/// SQLite's primary result code, from the extended code that sqlx reports (sqlite.org/rescode.html).
fn primary_code(code: Option<&str>) -> Option<i32> {
    let extended: i32 = code?.parse().ok()?;
    Some(extended & 0xff)
}
