//! Durable positions of the readers inside the program, which follow the events across restarts.

use super::error::{ReadError, Unavailable};
use super::query::reader::Reader;
use super::write::change::Change;
use super::write::offset::Offset;
use super::write::queue::Writer;

/// Loads and saves the position of each reader: the last event that it is done with. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Offsets {
    reader: Reader,
    writer: Writer,
}

impl Offsets {
    /// The positions in the database of `reader` and `writer`.
    #[must_use]
    pub fn new(reader: Reader, writer: Writer) -> Self {
        Self { reader, writer }
    }

    /// The seq that was saved under `name`. `None` if there is none in this epoch: seqs of an earlier epoch
    /// may stand for other events.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn load(&self, name: &str) -> Result<Option<i64>, ReadError> {
        self.reader.saved_offset(name).await
    }

    /// Saves the seq of the last event that the reader `name` is done with. When this returns `Ok`, it is on
    /// disk.
    ///
    /// # Errors
    ///
    /// The writer has stopped, or the commit failed.
    pub async fn save(&self, name: &str, seq: i64) -> Result<(), Unavailable> {
        let offset = Offset {
            name: name.to_owned(),
            seq,
        };
        self.writer.save(Change::Offset(offset)).await
    }
}
