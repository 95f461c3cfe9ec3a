//! Allows one server per database, whatever path leads to it.
//!
//! The lock is an `flock` on the database file itself, so a symbolic link, a hard link or another working
//! directory leads to the same lock, and there is no lock file that could be removed. SQLite's own locks are
//! `fcntl` locks, which `flock` does not affect on a local disk. However, the operating system drops all
//! `fcntl` locks of a process on a file as soon as the process closes any descriptor of that file. The lock
//! must therefore be opened before SQLite opens the file, and dropped last.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::OpenError;

/// Mode of the files that hold messages: only the server's user may access them. SQLite gives the WAL and
/// its index the mode of the database file.
const PRIVATE_FILE: u32 = 0o600;

/// Mode of a folder that is created for these files.
const PRIVATE_FOLDER: u32 = 0o700;

/// Keeps every other server off the database until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// Canonical path of the database.
    path: PathBuf,
}

impl Lock {
    /// Locks the database at `path`, creating an empty file if there is none.
    ///
    /// # Errors
    ///
    /// Another process holds the lock, or the file cannot be opened for writing.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let failed = |error| OpenError::File {
            path: path.to_owned(),
            error,
        };
        let file = create(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let path = fs::canonicalize(path).map_err(failed)?;
        Ok(Self { file, path })
    }

    /// Canonical path of the database. The WAL and the projection are beside it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Inode of the database file.
    pub(super) fn inode(&self) -> std::io::Result<u64> {
        self.file.metadata().map(|metadata| metadata.ino())
    }
}

impl Drop for Lock {
    /// A process that this one is just starting holds a copy of the descriptor until it executes its program.
    /// Closing the descriptor would leave the lock to that copy; unlocking ends it for both.
    fn drop(&mut self) {
        // The descriptor is open and locked; closing it is all that is left to try.
        let _ = self.file.unlock();
    }
}

/// Opens a file that holds messages. Creates it if it is missing and never truncates it.
pub(super) fn create(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(PRIVATE_FILE)
        .open(path)
}

/// Creates the folder of the database if it is missing.
pub(super) fn create_folder(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE_FOLDER)
        .create(folder)
}

#[cfg(test)]
mod tests {
    use super::Lock;

    #[test]
    fn dropped_lock_is_free_although_another_process_has_a_copy_of_its_descriptor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox.db");
        let lock = Lock::take(&path).unwrap();
        let copy = lock.file.try_clone().unwrap();
        assert!(Lock::take(&path).is_err());
        drop(lock);
        Lock::take(&path).unwrap();
        drop(copy);
    }
}
