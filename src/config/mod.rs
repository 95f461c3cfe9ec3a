//! The configuration as plain data, one file per section.
//!
//! The environment (`GREEN_INBOX__SECTION__KEY`) overrides the file, and the file overrides the defaults.
//! All settings are validated here, before a port is bound.

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

/// All settings.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The public listener, which receives the webhook.
    pub ingest: Ingest,
    /// The private listener, which serves stored events.
    pub private: Private,
    /// The database.
    pub storage: Storage,
    /// Logging.
    pub log: Log,
}

impl Config {
    /// Validates every setting without touching a port or the database. Reads the token files.
    ///
    /// # Errors
    ///
    /// The first missing or invalid setting, with the fix.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.ingest.check()?;
        self.private.check()?;
        self.storage.check()
    }
}
