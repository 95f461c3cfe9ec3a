//! Why a backup failed.

use std::io;
use std::path::PathBuf;

use crate::store::error::OpenError;

/// The backup failed. What the file held before is still there.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file cannot be opened, or is no database of green-inbox.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The file is the database itself, or one of its files.
    #[error("`{}` is the database itself, or one of its files", .0.display())]
    Itself(PathBuf),
    /// The database has no epoch yet.
    #[error("`{}` was last opened by a version that had no backups", .0.display())]
    Old(PathBuf),
    /// The file is a database with other events.
    #[error("`{}` is not a backup of this database: {problem}", file.display())]
    Unrelated {
        /// The file.
        file: PathBuf,
        /// What shows it.
        problem: &'static str,
    },
    /// The disk of the file has too little free space.
    #[error(
        "the disk of `{}` has {free} bytes free, but the backup needs about {needed}",
        file.display()
    )]
    NoRoom {
        /// The file.
        file: PathBuf,
        /// Bytes that the backup needs.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// The database cannot be read.
    #[error("the database cannot be read: {0}")]
    Read(rusqlite::Error),
    /// The file cannot be written.
    #[error("`{}` cannot be written: {error}", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// Error of SQLite.
        error: rusqlite::Error,
    },
    /// The operating system refused an operation on the file.
    #[error("`{}` cannot be written: {error}", file.display())]
    System {
        /// The file.
        file: PathBuf,
        /// Error of the operating system.
        error: io::Error,
    },
}

impl BackupError {
    /// How to fix the problem, for the `help:` line below the error.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Open(OpenError::InUse(_)) => {
                "another backup or a server uses this file; wait for it, or give another path"
            }
            Self::Open(OpenError::Foreign(_)) => {
                "give the path of a backup of this database, or of a file that does not exist yet"
            }
            Self::Open(error) => error.help(),
            Self::Itself(_) => "give another path, on another disk if possible",
            Self::Old(_) => "start the server on it once",
            Self::Unrelated { .. } => {
                "give a path that does not exist yet; keep this file, it may hold events that the \
                 database lacks"
            }
            Self::NoRoom { .. } => "free space, or give a path on another disk",
            Self::Read(_) => {
                "check the database with `green-inbox verify`, and that its folder is writable for the \
                 user who runs the command"
            }
            Self::Write { .. } | Self::System { .. } => {
                "check that the disk of the backup is mounted, writable and not full; the next backup \
                 continues from here"
            }
        }
    }

    /// Whether a backup to this path can only succeed after something was changed by hand.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Itself(_) | Self::Old(_) | Self::Unrelated { .. } => true,
            Self::Open(error) => {
                matches!(error, OpenError::Foreign(_) | OpenError::Newer { .. })
            }
            Self::NoRoom { .. } | Self::Read(_) | Self::Write { .. } | Self::System { .. } => false,
        }
    }
}
