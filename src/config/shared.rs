//! The settings of several nodes: the PostgreSQL that they share, and what they cannot do.

use super::authorities::{Authority, read_authorities};
use super::database_url::DatabaseUrl;
use super::secret::read_file;
use super::{Config, ConfigError, Storage, WhenFull};
use secrecy::ExposeSecret;

/// The key of the URL, as errors name it.
const URL: &str = "storage.url";

/// The PostgreSQL of several nodes, and what it must have.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Where it is.
    pub url: DatabaseUrl,
    /// How it is reached.
    pub connection: tokio_postgres::Config,
    /// The authorities that its certificate may come from; `None`: those of the system.
    pub authorities: Option<Vec<Authority>>,
    /// Whether it must wait for a standby.
    pub require_standby: bool,
}

impl Storage {
    /// The PostgreSQL of several nodes; `None` if the events are stored on this machine alone.
    ///
    /// # Errors
    ///
    /// The URL is not usable, or a file cannot be read.
    pub fn shared(&self) -> Result<Option<Shared>, ConfigError> {
        let (key, url) = match (&self.url, &self.url_file) {
            (None, None) => return Ok(None),
            (Some(url), None) => (URL, url.clone()),
            (None, Some(file)) => {
                const KEY: &str = "storage.url_file";
                let text = read_file(KEY, "", file)?;
                (KEY, DatabaseUrl::new(text.expose_secret()))
            }
            (Some(_), Some(_)) => {
                return Err(ConfigError::setting(
                    URL,
                    "storage.url and storage.url_file are both set",
                    "drop one of them",
                ));
            }
        };
        let connection = url.parse().ok_or_else(|| {
            ConfigError::setting(
                key,
                "it is not a usable URL of a PostgreSQL database",
                "write it as postgres://user:password@host:5432/database, or with several hosts as \
                 postgres://user:password@one,two/database?sslmode=require; special characters of the password are \
                 written as %40 and so on",
            )
        })?;
        let file = self.ca_file.as_deref();
        let authorities = file.map(|file| read_authorities("storage.ca_file", "", file));
        Ok(Some(Shared {
            url,
            connection,
            authorities: authorities.transpose()?,
            require_standby: self.require_standby,
        }))
    }

    pub(super) fn check_shared(&self) -> Result<(), ConfigError> {
        let shared = self.shared()?;
        let keys = [
            ("storage.require_standby", self.require_standby),
            ("storage.ca_file", self.ca_file.is_some()),
            ("storage.node", !self.node.is_empty()),
        ];
        match keys.into_iter().find(|(_, is_set)| *is_set) {
            Some((key, _)) if shared.is_none() => Err(ConfigError::setting(
                key,
                "it is about PostgreSQL, and storage.url is not set",
                "set storage.url (or storage.url_file), or drop this key",
            )),
            _ => Ok(()),
        }
    }
}

impl Config {
    /// Refuses what has no meaning for several nodes: bodies in PostgreSQL are never changed, and the budget is about the
    /// copy of one node.
    pub(super) fn check_nodes(&self) -> Result<(), ConfigError> {
        if self.storage.url.is_none() && self.storage.url_file.is_none() {
            return Ok(());
        }
        let storage = &self.storage;
        let refused = [
            (
                "storage.strip_thumbnails_days",
                storage.strip_thumbnails_days > 0,
            ),
            (
                "storage.when_full",
                storage.when_full == WhenFull::DropOldest,
            ),
        ];
        match refused.into_iter().find(|(_, is_set)| *is_set) {
            Some((key, _)) => Err(ConfigError::setting(
                key,
                "it does not work with storage.url: the events are in PostgreSQL, which the nodes share",
                "drop this key on the nodes; storage.retention_days deletes old events for all of them (docs/cluster.md)",
            )),
            None => Ok(()),
        }
    }
}
