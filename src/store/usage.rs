//! The sizes of the database's files, and the free space on its disk.

use std::fs;
use std::path::Path;

use super::beside::with_ending;
use super::disk::free_bytes;
use super::projection;

/// The space that a database takes and has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskUsage {
    /// Bytes of each file that exists: `database`, `wal`, `projection`, `projection-wal`.
    pub files: Vec<(&'static str, u64)>,
    /// Free bytes on the disk, as far as this process may use them. `None` if the disk does not say.
    pub free: Option<u64>,
}

impl DiskUsage {
    /// The space of the database at `path`. Blocks for as long as the file system takes to answer.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let projection = projection::path_of(path);
        let files = [
            ("database", path.to_owned()),
            ("wal", with_ending(path, "-wal")),
            ("projection", projection.clone()),
            ("projection-wal", with_ending(&projection, "-wal")),
        ];
        Self {
            files: files
                .into_iter()
                .filter_map(|(name, path)| Some((name, fs::metadata(path).ok()?.len())))
                .collect(),
            free: free_bytes(path).ok(),
        }
    }
}
