//! An event as the projection reads it.

use rusqlite::Result;

use crate::model::Moment;
use crate::store::columns::EventColumns;
use crate::store::event::BodyDigest;

/// A row of the events.
pub(super) struct Row {
    pub(super) columns: EventColumns,
    pub(super) seq: i64,
    pub(super) received_at: i64,
    pub(super) digest: BodyDigest,
    pub(super) body: Vec<u8>,
    /// Whether some fields do not match the documented format.
    pub(super) has_drift: bool,
}

impl Row {
    /// Reads a row of the statements in `slice.rs`.
    pub(super) fn read(row: &rusqlite::Row<'_>) -> Result<Self> {
        Ok(Self {
            columns: EventColumns::read(row)?,
            seq: row.get(EventColumns::COUNT)?,
            received_at: row.get(EventColumns::COUNT + 1)?,
            digest: row.get(EventColumns::COUNT + 2)?,
            body: row.get(EventColumns::COUNT + 3)?,
            has_drift: row.get(EventColumns::COUNT + 4)?,
        })
    }

    /// When the event happened.
    pub(super) fn moment(&self) -> Moment {
        Moment::new(self.columns.timestamp, self.received_at, self.seq)
    }
}
