//! Why a migration failed.

use std::io;
use std::path::PathBuf;

use crate::store::cluster::error::SharedError;
use crate::store::error::OpenError;

/// The migration failed. What was copied stays, and the same command continues.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// PostgreSQL cannot be used.
    #[error(transparent)]
    Shared(#[from] SharedError),
    /// The SQLite database cannot be used.
    #[error(transparent)]
    Local(#[from] OpenError),
    /// Another migration into or out of the same PostgreSQL runs.
    #[error("another `green-inbox migrate --to` copies into this PostgreSQL")]
    Running,
    /// PostgreSQL has events that are not those of the database.
    #[error("PostgreSQL has {0} events already, and they are not those of this database")]
    HasEvents(i64),
    /// PostgreSQL has a part of another database.
    #[error("PostgreSQL has a part of another database, whose copy was not completed")]
    OtherDatabase,
    /// The database is a node's copy of a PostgreSQL.
    #[error("`{}` is a node's copy of another PostgreSQL", .0.display())]
    IsCopy(PathBuf),
    /// An event no longer has the bytes that were received.
    #[error(
        "the thumbnails of the event {0} were removed (storage.strip_thumbnails_days), and PostgreSQL has only bodies as they were received"
    )]
    Thinned(i64),
    /// An event is missing or damaged in the SQLite database.
    #[error("the event {0} is missing or damaged in the SQLite database")]
    Damaged(i64),
    /// The two sides differ.
    #[error("the event {0} is not the same in PostgreSQL and in SQLite")]
    Differs(i64),
    /// The counts of deliveries differ.
    #[error("the deliveries of the event {0} are not the same in PostgreSQL and in SQLite")]
    CountDiffers(i64),
    /// There is a file at the path of the new database.
    #[error("`{}` exists already", .0.display())]
    Exists(PathBuf),
    /// The unfinished file belongs to other events.
    #[error("`{}` is an unfinished copy of other events", .0.display())]
    Leftover(PathBuf),
    /// PostgreSQL has no schema of green-inbox.
    #[error("the database in PostgreSQL is not one of green-inbox")]
    NoSchema,
    /// The operating system refused an operation on a file.
    #[error("`{}` cannot be written: {error}", file.display())]
    System {
        /// The file.
        file: PathBuf,
        /// Error of the operating system.
        error: io::Error,
    },
}

impl From<rusqlite::Error> for MigrateError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Local(OpenError::Write(error))
    }
}

impl From<tokio_postgres::Error> for MigrateError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Shared(error.into())
    }
}

impl MigrateError {
    /// How to fix the problem, for the `help:` line below the error.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Shared(SharedError::Unreachable(_) | SharedError::Timeout(_)) => {
                "check that PostgreSQL runs and accepts writes at a host of the URL; the same command continues"
            }
            Self::Shared(error) => error.help(),
            Self::Local(OpenError::InUse(_)) => {
                "stop the server that uses the database: what it receives meanwhile would not be copied"
            }
            Self::Local(error) => error.help(),
            Self::Running => {
                "wait for it; if its machine is gone, PostgreSQL notices that by itself"
            }
            Self::HasEvents(_) => {
                "give the URL of a new, empty database: CREATE DATABASE … OWNER …"
            }
            Self::OtherDatabase => {
                "run the command with the database that the copy was begun with, or drop and create the database in \
                 PostgreSQL"
            }
            Self::IsCopy(_) => {
                "give the path of a database with events of its own; a copy can be made one with `migrate --from`"
            }
            Self::Thinned(_) => {
                "keep this database for reading, and start the nodes with an empty PostgreSQL and another storage.path; \
                 a backup from before can be migrated"
            }
            Self::Damaged(_) => "run `green-inbox verify`, and migrate a backup that has the event",
            Self::Differs(_) | Self::CountDiffers(_) => {
                "check both with `green-inbox verify` and amcheck, remove the incomplete side, and start again; the \
                 side that was copied is unchanged"
            }
            Self::Exists(_) => {
                "set storage.path to a file that does not exist yet; a database is never overwritten"
            }
            Self::Leftover(_) => "remove it and the files beside it, and run the command again",
            Self::NoSchema => "correct the URL: it must name the database of the nodes",
            Self::System { .. } => {
                "check that the disk is mounted, writable and not full; the same command continues"
            }
        }
    }

    /// Whether the command can only succeed after something was changed by hand.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Shared(error) => error.is_configuration(),
            Self::Local(error) => {
                matches!(error, OpenError::Foreign(_) | OpenError::Newer { .. })
            }
            Self::HasEvents(_)
            | Self::OtherDatabase
            | Self::IsCopy(_)
            | Self::Thinned(_)
            | Self::Exists(_)
            | Self::Leftover(_)
            | Self::NoSchema => true,
            Self::Running
            | Self::Damaged(_)
            | Self::Differs(_)
            | Self::CountDiffers(_)
            | Self::System { .. } => false,
        }
    }
}
