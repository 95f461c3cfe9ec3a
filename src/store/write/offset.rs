//! The durable position of a reader inside the program: the last event that it is done with.

use rusqlite::{Connection, Result, params};

const SAVE: &str = "
    INSERT INTO reader_offset (name, epoch, seq) SELECT ?1, epoch, ?2 FROM identity WHERE true
    ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq";

/// The position of one reader, in the epoch of the moment at which it is saved.
#[derive(Debug)]
pub(in crate::store) struct Offset {
    /// The name of the reader.
    pub(in crate::store) name: String,
    /// The last event that the reader is done with.
    pub(in crate::store) seq: i64,
}

impl Offset {
    pub(super) fn save(&self, connection: &Connection) -> Result<()> {
        connection
            .prepare_cached(SAVE)?
            .execute(params![self.name, self.seq])
            .map(drop)
    }
}
