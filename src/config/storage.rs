//! `[storage]`: the database.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

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
