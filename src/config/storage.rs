//! `[storage]`: the database.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Where notifications rest.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// The database file; its folder is made if it is missing. Not on a network file system.
    pub path: PathBuf,
    /// Bytes that the database may have, without its log; 0 for as many as there is room for. What
    /// does not fit any more is refused with 503, as on a full disk.
    pub max_bytes: u64,
}

/// A smaller database would be full of itself.
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
                format!("`{}` is not the path of a file", self.path.display()),
                "name the file of the database with its folder, as data/green-inbox.db",
            ));
        }
        if (1..LEAST_BYTES).contains(&self.max_bytes) {
            return Err(ConfigError::setting(
                "storage.max_bytes",
                format!("{} is too small", self.max_bytes),
                format!("use at least {LEAST_BYTES}, or 0 for as many as there is room for"),
            ));
        }
        Ok(())
    }
}
