//! The files beside a database, which have its name with another ending.

use std::path::{Path, PathBuf};

/// The path with `ending` added to its name, as `inbox.db-wal`.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
