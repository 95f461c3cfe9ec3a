//! One server for one database, whatever path leads to it.
//!
//! The lock is `flock` on the database file itself, so that a symbolic link, a hard link or another
//! working directory leads to the same lock, and there is no file beside it that could be removed.
//! SQLite's own locks are of another kind (`fcntl`), which `flock` does not touch on a local disk.
//! But the system drops a process's `fcntl` locks on a file as soon as the process closes any
//! descriptor of it: the lock has to be opened before SQLite opens the file, and dropped last.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::OpenError;

/// The mode of files that hold messages: for the server's user alone. SQLite gives the WAL and its
/// index the mode of the database.
const PRIVATE_FILE: u32 = 0o600;

/// The mode of a folder that is made for them.
const PRIVATE_FOLDER: u32 = 0o700;

/// Keeps every other server off the database until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// Where the database really is.
    path: PathBuf,
}

impl Lock {
    /// Locks the database at `path`, which is created empty where there is none.
    ///
    /// # Errors
    ///
    /// Another process holds it, or it cannot be opened for writing.
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

    /// Where the database really is: its WAL and the projection are beside it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The inode of the database.
    pub(super) fn inode(&self) -> std::io::Result<u64> {
        self.file.metadata().map(|metadata| metadata.ino())
    }
}

/// Opens a file that holds messages, created where there is none, and never truncated.
pub(super) fn create(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(PRIVATE_FILE)
        .open(path)
}

/// Creates the folder of the database where it is missing.
pub(super) fn create_folder(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE_FOLDER)
        .create(folder)
}
