//! `[backup]`: copies of the database.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, Storage};

/// Copies of the database, made by the server.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Backup {
    /// The file that the server copies the database to while it runs; none means no backup.
    pub path: Option<PathBuf>,
    /// Minutes from the start of one backup to the start of the next. A backup that is three times as old is
    /// reported as a trouble.
    pub minutes: u32,
    /// Whether a database with events is copied beside itself before a new version migrates it.
    pub before_migration: bool,
}

impl Default for Backup {
    fn default() -> Self {
        Self {
            path: None,
            minutes: 60,
            before_migration: true,
        }
    }
}

impl Backup {
    pub(super) fn check(&self, storage: &Storage) -> Result<(), ConfigError> {
        if let Some(path) = &self.path {
            if path.file_name().is_none() || path.is_dir() {
                return Err(ConfigError::setting(
                    "backup.path",
                    format!("`{}` is not a file path", path.display()),
                    "give the file with its folder, such as /mnt/backup/green-inbox.db",
                ));
            }
            if *path == storage.path {
                return Err(ConfigError::setting(
                    "backup.path",
                    "it is storage.path",
                    "give another file, on another disk if possible",
                ));
            }
        }
        if self.minutes == 0 {
            return Err(ConfigError::setting(
                "backup.minutes",
                "0 is not an interval",
                "use at least 1; to make no backups, leave out backup.path",
            ));
        }
        Ok(())
    }
}
