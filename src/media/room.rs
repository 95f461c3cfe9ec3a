//! How many bytes of files may be kept. Files never take the space that receiving needs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::free_bytes;

/// Bytes of a download after which the free space of the disk is looked at again.
const LOOK_BYTES: u64 = 4 * 1024 * 1024;

/// The budget of the files. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Room(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// Bytes of all files; 0: no limit.
    max_bytes: u64,
    /// Bytes that stay free on the disk.
    min_free: u64,
    /// Bytes of the kept files and of the downloads in progress.
    used: AtomicU64,
}

/// There is no room for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoRoom {
    /// `media.max_bytes` is used up.
    #[error("media.max_bytes leaves no room for the file")]
    Budget,
    /// The disk has too little free space.
    #[error("storage.min_free_bytes leaves no room for the file on the disk")]
    Disk,
}

/// Bytes of one file that are taken. Dropping it gives them back.
#[derive(Debug)]
pub(super) struct Taken {
    room: Room,
    bytes: u64,
    /// Bytes until the disk is looked at.
    unseen: u64,
}

impl Room {
    /// The room in `folder`. No bytes are taken.
    pub(super) fn new(folder: &Path, max_bytes: u64, min_free: u64) -> Self {
        Self(Arc::new(Inner {
            folder: folder.to_owned(),
            max_bytes,
            min_free,
            used: AtomicU64::new(0),
        }))
    }

    /// Sets the bytes of the kept files, before the first download.
    pub(super) fn set_used(&self, bytes: u64) {
        self.0.used.store(bytes, Ordering::Relaxed);
    }

    /// Bytes that are in use.
    pub(super) fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Gives the bytes of a removed file back.
    pub(super) fn give_back(&self, bytes: u64) {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        let _ = self
            .0
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Begins a file.
    pub(super) fn begin(&self) -> Taken {
        Taken {
            room: self.clone(),
            bytes: 0,
            unseen: 0,
        }
    }
}

impl Taken {
    /// Takes `bytes` more, before they are written.
    pub(super) fn take(&mut self, bytes: u64) -> Result<(), NoRoom> {
        let Inner {
            folder,
            max_bytes,
            min_free,
            used,
        } = &*self.room.0;
        let used = used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.bytes += bytes;
        if *max_bytes > 0 && used > *max_bytes {
            return Err(NoRoom::Budget);
        }
        self.unseen = self.unseen.saturating_sub(bytes);
        if self.unseen == 0 {
            self.unseen = LOOK_BYTES;
            // A disk that does not say is found full by writing.
            let free = free_bytes(folder).unwrap_or(u64::MAX);
            if free < min_free.saturating_add(LOOK_BYTES.max(bytes)) {
                return Err(NoRoom::Disk);
            }
        }
        Ok(())
    }

    /// The bytes stay in use, because the file is kept.
    pub(super) fn keep(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.room.give_back(self.bytes);
    }
}
