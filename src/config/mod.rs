//! The configuration as plain data, one file per section.
//!
//! Where a value comes from: the environment (`GREEN_INBOX__SECTION__KEY`) before the file, the
//! file before the defaults. Everything is checked here, before a port is bound.

mod error;
mod ingest;
mod load;
mod log;
mod network;
mod private;
mod storage;
mod token;

use serde::{Deserialize, Serialize};

pub use error::ConfigError;
pub use ingest::Ingest;
pub use load::{DEFAULT_FILE, DEFAULT_PATH, PREFIX, load};
pub use log::{Format, Level, Log};
pub use network::Network;
pub use private::Private;
pub use storage::Storage;
pub use token::Token;

/// All that can be set.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The public listener, which takes the webhook.
    pub ingest: Ingest,
    /// The private listener, which gives back what was stored.
    pub private: Private,
    /// The database.
    pub storage: Storage,
    /// What the program says of its work.
    pub log: Log,
}

impl Config {
    /// Checks what can be checked without touching a port or the database, token files included.
    ///
    /// # Errors
    ///
    /// The first setting that is missing or cannot be used, with the fix.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.ingest.check()?;
        self.private.check()?;
        self.storage.check()
    }
}
