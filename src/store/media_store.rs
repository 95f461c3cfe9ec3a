//! The durable state of the files of messages.

use super::error::{ReadError, Unavailable};
use super::query::media::DueFile;
use super::query::reader::Reader;
use super::write::change::Change;
use super::write::media::{MediaChange, OFFSET};
use super::write::queue::Writer;
use crate::clock::UnixMillis;

/// Loads and saves what has become of files. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MediaStore {
    reader: Reader,
    writer: Writer,
}

impl MediaStore {
    /// The state in the database of `reader` and `writer`.
    #[must_use]
    pub fn new(reader: Reader, writer: Writer) -> Self {
        Self { reader, writer }
    }

    /// How far the events were read. `None` if they never were.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn position(&self) -> Result<Option<i64>, ReadError> {
        self.reader.saved_offset(OFFSET).await
    }

    /// At most `limit` events after `after` and up to `through` that may name a file: messages of the accounts in a
    /// JSON array that arrived at `since` or later.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn candidates(
        &self,
        (after, through): (i64, i64),
        instances: &str,
        since: UnixMillis,
        limit: u32,
    ) -> Result<Vec<i64>, ReadError> {
        let range = (after, through);
        self.reader
            .media_candidates(range, instances, since, limit)
            .await
    }

    /// At most `limit` files that are due at `now`. One that is due after `latest` counts too: the clock was set
    /// back.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn due(
        &self,
        (now, latest): (UnixMillis, UnixMillis),
        limit: u32,
    ) -> Result<Vec<DueFile>, ReadError> {
        self.reader.due_media((now, latest), limit).await
    }

    /// At most `limit` rows of deleted events: the last of their seqs, and the files that they name.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn expired(
        &self,
        through: i64,
        limit: u32,
    ) -> Result<Option<(i64, Vec<[u8; 32]>)>, ReadError> {
        self.reader.expired_media(through, limit).await
    }

    /// Whether an event names a kept file with this digest.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn has(&self, digest: &[u8; 32]) -> Result<bool, ReadError> {
        self.reader.has_media(digest).await
    }

    /// The digests of kept files that begin with `first`.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn beginning_with(&self, first: u8) -> Result<Vec<[u8; 32]>, ReadError> {
        self.reader.media_digests(first).await
    }

    /// How many files wait, and how many of them were never tried.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn waiting(&self) -> Result<(u64, u64), ReadError> {
        self.reader.waiting_media().await
    }

    /// The bytes of all kept files.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn bytes(&self) -> Result<u64, ReadError> {
        self.reader.media_bytes().await
    }

    /// Saves a change. When this returns `Ok`, it is on disk.
    ///
    /// # Errors
    ///
    /// The writer has stopped, or the commit failed.
    pub async fn save(&self, change: MediaChange) -> Result<(), Unavailable> {
        self.writer.save(Change::Media(change)).await
    }
}
