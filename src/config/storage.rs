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
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            path: PathBuf::from("data/green-inbox.db"),
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
        Ok(())
    }
}
