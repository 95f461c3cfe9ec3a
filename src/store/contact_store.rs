//! What GREEN-API said about private chats: durable, because it cannot be derived from the events.

use super::error::{ReadError, Unavailable};
use super::query::reader::Reader;
use super::write::change::Change;
use super::write::contact::ContactChange;
use super::write::queue::Writer;
use crate::clock::UnixMillis;

/// Loads and saves what GREEN-API said about private chats. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ContactStore {
    reader: Reader,
    writer: Writer,
}

impl ContactStore {
    /// The state in the database of `reader` and `writer`.
    #[must_use]
    pub fn new(reader: Reader, writer: Writer) -> Self {
        Self { reader, writer }
    }

    /// At most `limit` `@lid` chats of an account whose other identifier is not known, and about which GREEN-API was
    /// not asked between `before` and `now`. The one with the newest message comes first. The caller waits for the
    /// projection before.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn unknown(
        &self,
        id_instance: i64,
        (before, now): (UnixMillis, UnixMillis),
        limit: u32,
    ) -> Result<Vec<String>, ReadError> {
        self.reader
            .unknown_contacts(id_instance, (before, now), limit)
            .await
    }

    /// At most `limit` chats that GREEN-API was asked about and that have no messages any more. The caller waits for
    /// the projection before.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn gone(&self, limit: u32) -> Result<Vec<(i64, String)>, ReadError> {
        self.reader.gone_contacts(limit).await
    }

    /// Saves a change. When this returns `Ok`, it is on disk.
    ///
    /// # Errors
    ///
    /// The writer has stopped, or the commit failed.
    pub async fn save(&self, change: ContactChange) -> Result<(), Unavailable> {
        self.writer.save(Change::Contacts(change)).await
    }
}
