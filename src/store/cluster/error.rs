//! Errors of the PostgreSQL that several nodes share.

use std::error::Error;
use std::path::PathBuf;

use tokio_postgres::error::SqlState;

use crate::store::error::{OpenError, ReadError};

/// The node cannot start, or cannot go on with its connection.
#[derive(Debug, thiserror::Error)]
pub enum SharedError {
    /// No host of the URL answers, or none accepts writes.
    #[error("PostgreSQL cannot be reached: {0}")]
    Unreachable(String),
    /// PostgreSQL does not know the user, or the password is wrong.
    #[error("PostgreSQL refused the user or the password")]
    Refused,
    /// The certificates of the system, or the given ones, cannot be used.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// A setting of PostgreSQL would make an answer untrue.
    #[error("PostgreSQL has `{name} = {value}`: {problem}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What that means.
        problem: &'static str,
        /// How to fix it.
        fix: &'static str,
    },
    /// The schema was made by a newer version.
    #[error("the schema in PostgreSQL was made by a newer green-inbox (schema {0})")]
    Newer(i64),
    /// The user may not create tables.
    #[error("the user of the URL may not create tables: {0}")]
    NotOwner(String),
    /// The local database is not a copy.
    #[error("storage.path: `{}` has events of its own and is not a copy of this PostgreSQL", .0.display())]
    OwnEvents(PathBuf),
    /// The local database is a copy of another PostgreSQL.
    #[error("storage.path: `{}` is a copy of another PostgreSQL", .0.display())]
    OtherCluster(PathBuf),
    /// The seqs in PostgreSQL were assigned again since this node started.
    #[error("PostgreSQL was promoted or restored")]
    Rewound,
    /// `green-inbox migrate --to` has not copied everything yet.
    #[error("a database is being copied into PostgreSQL")]
    Incoming,
    /// A commit may not be on the standby.
    #[error("PostgreSQL did not confirm that the commit is on the standby")]
    NotReplicated,
    /// A statement took too long.
    #[error("PostgreSQL did not answer within {0} s")]
    Timeout(u64),
    /// A statement failed.
    #[error("a statement failed in PostgreSQL: {0}")]
    Failed(String),
    /// An event in PostgreSQL does not have the bytes that were received.
    #[error("the event {0} is missing or damaged in PostgreSQL")]
    Damaged(i64),
    /// The local database cannot be opened.
    #[error(transparent)]
    Local(#[from] OpenError),
}

impl From<tokio_postgres::Error> for SharedError {
    fn from(failure: tokio_postgres::Error) -> Self {
        let Some(refusal) = failure.as_db_error() else {
            return Self::Unreachable(innermost(&failure));
        };
        match refusal.code() {
            &SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                Self::Refused
            }
            // Class 57: the server stops or starts.
            code if code.code().starts_with("57P") => {
                Self::Unreachable(refusal.message().to_owned())
            }
            code => Self::Failed(format!("{} ({})", refusal.message(), code.code())),
        }
    }
}

impl From<SharedError> for ReadError {
    fn from(failure: SharedError) -> Self {
        Self::Away(failure.to_string())
    }
}

/// The cause at the end of the chain, which names the problem without the URL.
fn innermost(failure: &dyn Error) -> String {
    let mut failure = failure;
    while let Some(cause) = failure.source() {
        failure = cause;
    }
    failure.to_string()
}

impl SharedError {
    /// How to fix the problem, for the `help:` line below the error.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreachable(_) | Self::Timeout(_) | Self::Failed(_) => {
                "check that PostgreSQL runs and accepts writes at a host of storage.url; for its certificate, see \
                 storage.ca_file"
            }
            Self::Refused => {
                "correct user and password of storage.url, or pg_hba.conf of PostgreSQL"
            }
            Self::Tls(_) => "install the certificates of the system, or set storage.ca_file",
            Self::Setting { fix, .. } => fix,
            Self::Newer(_) => "run the version that made it, or a newer version, on every node",
            Self::NotOwner(_) => {
                "make the user the owner of the database: ALTER DATABASE … OWNER TO …"
            }
            Self::OwnEvents(_) => {
                "set storage.path to a file that does not exist yet; the events of this one stay in it"
            }
            Self::OtherCluster(_) => {
                "correct storage.url; if PostgreSQL was made anew, move the file aside: it has the events"
            }
            Self::Rewound => "restart the node",
            Self::Incoming => {
                "wait until `green-inbox migrate --to` has ended; if it was stopped, run it again: it continues"
            }
            Self::NotReplicated => "check the standbys in pg_stat_replication",
            Self::Damaged(_) => "check PostgreSQL with amcheck, and restore what is damaged",
            Self::Local(error) => error.help(),
        }
    }

    /// Whether a start can succeed only after a change of the configuration or of PostgreSQL's.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(
            self,
            Self::Refused
                | Self::Tls(_)
                | Self::Setting { .. }
                | Self::Newer(_)
                | Self::NotOwner(_)
                | Self::OwnEvents(_)
                | Self::OtherCluster(_)
        )
    }
}
