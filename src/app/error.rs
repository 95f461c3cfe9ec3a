//! What keeps the program from starting, and what ends it.

use std::io;
use std::net::SocketAddr;

use crate::config::ConfigError;
use crate::store::{OpenError, WriterEnd};

/// The program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be used.
    #[error("storage.path: {0}\n  help: {help}", help = help(.0))]
    Store(#[from] OpenError),
    /// An address cannot be listened on.
    #[error(
        "{key}: {address} cannot be listened on: {error}\n  help: stop what listens there, or set another address"
    )]
    Bind {
        /// The setting.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The system refused something that it always grants.
    #[error("the system refused: {0}")]
    System(#[from] io::Error),
}

impl StartError {
    /// Whether the configuration has to be changed before another start can succeed.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        match self {
            // A full or read-only disk and a missing mount pass by themselves, and so may all else
            // that keeps a file from being opened, except a path that cannot be one.
            Self::Store(OpenError::Folder { error, .. } | OpenError::File { error, .. }) => {
                matches!(
                    error.kind(),
                    io::ErrorKind::NotADirectory
                        | io::ErrorKind::AlreadyExists
                        | io::ErrorKind::IsADirectory
                        | io::ErrorKind::InvalidFilename
                )
            }
            Self::Store(error) => {
                matches!(
                    error,
                    OpenError::OldSqlite(_) | OpenError::Foreign(_) | OpenError::Newer { .. }
                )
            }
            Self::Config(_) => true,
            Self::Bind { .. } | Self::System(_) => false,
        }
    }
}

fn help(error: &OpenError) -> &'static str {
    match error {
        OpenError::OldSqlite(_) => "build with the SQLite that is bundled",
        OpenError::Folder { .. } => {
            "make the folder writable for the user that runs the program, or set another path"
        }
        OpenError::File { .. } => {
            "look at its owner and mode, and whether its disk is mounted, writable and not full"
        }
        OpenError::Damaged(_) => {
            "where an older copy was put back, the `-wal` and `-shm` of the file before it must not \
             stay beside it: stop every server, move both aside, and start again; else put back a \
             backup, or save what is readable with `sqlite3 FILE .recover`"
        }
        OpenError::InUse(_) => "stop the other one, or set another path",
        OpenError::Foreign(_) => {
            "set another path; if it was one of green-inbox, put a backup in its place"
        }
        OpenError::Newer { .. } => "run the version that wrote it, or a newer one",
        OpenError::Pragma { .. } => "set a path on a local disk, not on a network file system",
        _ => "look at the disk and at the file; `sqlite3 FILE 'PRAGMA integrity_check'` tells more",
    }
}

/// The program ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The database failed.
    #[error("the database failed: {0}")]
    Store(String),
    /// The thread that writes panicked.
    #[error("the writer panicked")]
    WriterPanicked,
    /// The thread that writes ended before its time.
    #[error("the writer ended before its time")]
    WriterEnded,
    /// A listener ended before its time.
    #[error("the {0} listener ended before its time")]
    Listener(&'static str),
}

impl From<WriterEnd> for RunError {
    fn from(end: WriterEnd) -> Self {
        match end {
            WriterEnd::Drained => Self::WriterEnded,
            WriterEnd::Failed(problem) => Self::Store(problem),
            WriterEnd::Panicked => Self::WriterPanicked,
        }
    }
}
