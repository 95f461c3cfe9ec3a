//! The free space of a disk, and what makes a written file durable.

use std::fs::File;
use std::io;
use std::path::Path;

/// Bytes that the program may still write to the disk of `folder`.
///
/// # Errors
///
/// The file system does not say.
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// The folder of a file.
pub(in crate::store) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Flushes a file and its entry in its folder to the disk.
///
/// The operating system drops the SQLite locks of this process on the file (see lock.rs), so no connection to
/// it may be open.
pub(in crate::store) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    File::open(folder_of(path))?.sync_all()
}
