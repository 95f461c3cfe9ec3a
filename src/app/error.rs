//! Errors that prevent the program from starting or that end it.

use std::io;
use std::net::SocketAddr;

use crate::config::ConfigError;
use crate::store::{OpenError, SharedError, WriterEnd};

/// The program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be opened.
    #[error("storage.path: {0}\n  help: {help}", help = OpenError::help(.0))]
    Store(#[from] OpenError),
    /// The PostgreSQL of several nodes, or this node's copy of it, cannot be used.
    #[error("storage.url: {0}\n  help: {help}", help = SharedError::help(.0))]
    Shared(SharedError),
    /// An address cannot be bound.
    #[error(
        "{key}: cannot listen on {address}: {error}\n  help: stop the program that listens there, or set \
         another address"
    )]
    Bind {
        /// The setting that names the address.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// Error of the operating system.
        error: io::Error,
    },
    /// systemd passed the wrong sockets.
    #[error(
        "systemd passed {0} sockets instead of 2\n  help: give the socket unit two ListenStream= lines, first \
         the public listener, then the private one"
    )]
    Sockets(usize),
    /// The operating system refused an operation that normally succeeds.
    #[error("the operating system refused an operation: {0}")]
    System(#[from] io::Error),
}

impl StartError {
    /// Whether a start can succeed only after the configuration changes.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        match self {
            // A full or read-only disk and a missing mount can recover without a change, and so can
            // every other open error except an impossible path.
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
            Self::Shared(error) => error.is_configuration(),
            Self::Config(_) | Self::Sockets(_) => true,
            Self::Bind { .. } | Self::System(_) => false,
        }
    }
}

impl From<SharedError> for StartError {
    fn from(error: SharedError) -> Self {
        match error {
            SharedError::Local(error) => Self::Store(error),
            error => Self::Shared(error),
        }
    }
}

/// A failure that ends the running program.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The database failed.
    #[error("the database failed: {0}")]
    Store(String),
    /// PostgreSQL has other events than this node's copy of it. The program should be built again.
    #[error("PostgreSQL was promoted or restored, and the copy must be compared with it")]
    Rewound,
    /// The writer thread panicked.
    #[error("the writer panicked")]
    WriterPanicked,
    /// The writer thread ended before shutdown.
    #[error("the writer ended unexpectedly")]
    WriterEnded,
    /// A listener ended before shutdown.
    #[error("the {0} listener ended unexpectedly")]
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
