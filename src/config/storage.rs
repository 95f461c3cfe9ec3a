//! `[storage]`: the database.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::database_url::DatabaseUrl;

/// Where events are stored.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// The database file. A missing folder is created. It must not be on a network file system.
    pub path: PathBuf,
    /// The PostgreSQL that several nodes store events in; `path` is then this node's copy of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<DatabaseUrl>,
    /// A file with that URL.
    pub url_file: Option<PathBuf>,
    /// A PEM file with the authorities that the certificate of PostgreSQL may come from. Without it those of the system
    /// are trusted.
    pub ca_file: Option<PathBuf>,
    /// What the other nodes call this one; empty: the name of the machine.
    pub node: String,
    /// Whether the program refuses to start if PostgreSQL does not wait for a standby.
    pub require_standby: bool,
    /// Days after which an event is deleted; 0 keeps all.
    pub retention_days: u32,
    /// Days after which the `jpegThumbnail` values are removed from the body of an event; 0 keeps them.
    pub strip_thumbnails_days: u32,
    /// Bytes of the database, its projection and their WALs together; 0 means no limit but the disk.
    pub max_bytes: u64,
    /// What happens when `max_bytes` are used up.
    pub when_full: WhenFull,
    /// Whether bodies are compressed from now on. Bodies that are stored already are read in either form.
    pub compression: Compression,
    /// Bytes that must stay free on the disk. With less, notifications get 503, so that deleting and checkpoints have
    /// room to work.
    pub min_free_bytes: u64,
}

/// How bodies are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// As zstd frames, where these are smaller.
    Zstd,
    /// As they were received.
    None,
}

/// What happens at the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// Notifications get 503.
    Refuse,
    /// The oldest events are deleted before the budget is reached.
    DropOldest,
}

/// Bytes. A smaller budget would leave hardly any room for events beside the WALs.
const LEAST_BYTES: u64 = 8 * 1024 * 1024;

/// Bytes. SQLite's files cannot be larger.
const MOST_BYTES: u64 = 1 << 60;

impl Default for Storage {
    fn default() -> Self {
        Self {
            path: PathBuf::from("data/green-inbox.db"),
            url: None,
            url_file: None,
            ca_file: None,
            node: String::new(),
            require_standby: false,
            retention_days: 0,
            strip_thumbnails_days: 0,
            max_bytes: 0,
            when_full: WhenFull::Refuse,
            compression: Compression::Zstd,
            min_free_bytes: 64 * 1024 * 1024,
        }
    }
}

/// Bytes of the name of a node.
const NAME_BYTES: usize = 64;

impl Storage {
    /// The name of this node.
    #[must_use]
    pub fn node_name(&self) -> String {
        if !self.node.is_empty() {
            return self.node.clone();
        }
        let machine = rustix::system::uname();
        machine.nodename().to_string_lossy().into_owned()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.path.file_name().is_none() || self.path.is_dir() {
            return Err(ConfigError::setting(
                "storage.path",
                format!("`{}` is not a file path", self.path.display()),
                "give the database file with its folder, such as data/green-inbox.db",
            ));
        }
        self.check_shared()?;
        if self.node.len() > NAME_BYTES || self.node.chars().any(char::is_control) {
            return Err(ConfigError::setting(
                "storage.node",
                "it is not usable as a name",
                format!("use at most {NAME_BYTES} bytes without control characters"),
            ));
        }
        if (1..LEAST_BYTES).contains(&self.max_bytes) {
            return Err(ConfigError::setting(
                "storage.max_bytes",
                format!("{} is too small", self.max_bytes),
                format!("use at least {LEAST_BYTES}, or 0 for no limit but the disk"),
            ));
        }
        if self.when_full == WhenFull::DropOldest && self.max_bytes == 0 {
            return Err(ConfigError::setting(
                "storage.when_full",
                "`drop-oldest` needs a budget, and storage.max_bytes is 0",
                "set storage.max_bytes to the bytes that the files may take, or set when_full = \"refuse\"",
            ));
        }
        for (key, value) in [
            ("storage.max_bytes", self.max_bytes),
            ("storage.min_free_bytes", self.min_free_bytes),
        ] {
            if value > MOST_BYTES {
                return Err(ConfigError::setting(
                    key,
                    format!("{value} is too large"),
                    format!("use at most {MOST_BYTES}"),
                ));
            }
        }
        Ok(())
    }
}
