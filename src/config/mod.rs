//! The configuration as plain data, one file per section.
//!
//! The environment (`GREEN_INBOX__SECTION__KEY`) overrides the file, and the file overrides the defaults.
//! All settings are validated here, before a port is bound.

mod account;
mod alerts;
mod authorities;
mod backup;
mod database_url;
mod destination;
mod email;
mod error;
mod forward;
mod ingest;
mod load;
mod log;
mod media;
mod network;
mod private;
mod secret;
mod shared;
mod start;
mod storage;
mod token;

use serde::{Deserialize, Serialize};

pub use account::{Account, ApiToken, GreenApiAccess, Product, Receive};
pub use alerts::Alerts;
pub use authorities::Authority;
pub use backup::Backup;
pub use database_url::DatabaseUrl;
pub use destination::{ChatId, Destination, GreenApi, Telegram, Webhook};
pub use email::{Email, SmtpTls};
pub use error::ConfigError;
pub use forward::{Forward, ForwardBody, ForwardOrder, ForwardedDirection, ForwardedOutcome};
pub use ingest::Ingest;
pub use load::{DEFAULT_FILE, DEFAULT_PATH, PREFIX, load};
pub use log::{Format, Level, Log};
pub use media::Media;
pub use network::Network;
pub use private::Private;
pub use secret::{SecretUrl, SigningKey};
pub use shared::Shared;
pub use start::Start;
pub use storage::{Compression, Storage, WhenFull};
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
    /// Copies of the database.
    pub backup: Backup,
    /// What is reported to a person.
    pub alerts: Alerts,
    /// Where GREEN-API's methods are.
    pub green_api: GreenApiAccess,
    /// The accounts whose methods the program calls.
    #[serde(deserialize_with = "account::read")]
    pub accounts: Vec<Account>,
    /// How files of messages are kept.
    pub media: Media,
    /// The user's own systems, which get the events too.
    pub forward: Vec<Forward>,
    /// Logging.
    pub log: Log,
}

impl Config {
    /// Validates every setting without touching a port or the database. Reads the files with secrets.
    ///
    /// # Errors
    ///
    /// The first missing or invalid setting, with the fix.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.ingest.check()?;
        self.private.check()?;
        self.storage.check()?;
        self.backup.check(&self.storage)?;
        self.alerts.check()?;
        self.green_api.check()?;
        account::check(&self.accounts)?;
        self.media.check()?;
        Forward::check_all(&self.forward)?;
        self.check_nodes()
    }
}
