//! `[storage]`: the database.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Where events are stored.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// The database file. A missing folder is created. It must not be on a network file system.
    pub path: PathBuf,
    /// Bytes in the database file, not counting its WAL; 0 means no limit but the disk. Beyond it
    /// notifications get 503, as on a full disk.
    pub max_bytes: u64,
}

/// Bytes. A smaller database would have hardly any room for events.
const LEAST_BYTES: u64 = 1024 * 1024;

impl Default for Storage {
    fn default() -> Self {
        Self {
            path: PathBuf::from("data/green-inbox.db"),
            max_bytes: 0,
        }
    }
}

impl Storage {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.path.file_name().is_none() || self.path.is_dir() {
            return Err(ConfigError::setting(
                "storage.path",
                format!("`{}` is not a file path", self.path.display()),
                "give the database file with its folder, such as data/green-inbox.db",
            ));
        }
        if (1..LEAST_BYTES).contains(&self.max_bytes) {
            return Err(ConfigError::setting(
                "storage.max_bytes",
                format!("{} is too small", self.max_bytes),
                format!("use at least {LEAST_BYTES}, or 0 for no limit but the disk"),
            ));
        }
        Ok(())
    }
}
