//! An event as the projection reads it.

use std::borrow::Cow;

use rusqlite::Result;
use sha2::{Digest, Sha256};

use crate::model::Moment;
use crate::store::columns::EventColumns;
use crate::store::event::BodyDigest;
use crate::store::event_connection::EventConnection;

/// A row of the events.
pub(super) struct Row {
    pub(super) columns: EventColumns,
    pub(super) seq: i64,
    pub(super) received_at: i64,
    /// The digest of the received bytes.
    pub(super) digest: BodyDigest,
    /// Empty if it cannot be expanded.
    pub(super) body: Vec<u8>,
    /// Whether some fields do not match the documented format.
    pub(super) has_drift: bool,
    /// Whether the stored bytes match their digest. Nothing is derived from a body that does not.
    pub(super) is_intact: bool,
}

impl Row {
    /// Reads a row of the statements in `slice.rs`.
    pub(super) fn read(row: &rusqlite::Row<'_>, events: &EventConnection) -> Result<Self> {
        let stored: BodyDigest = row.get(EventColumns::COUNT + 5)?;
        let body = events.body(row, (EventColumns::COUNT + 3, EventColumns::COUNT + 6))?;
        Ok(Self {
            columns: EventColumns::read(row)?,
            seq: row.get(EventColumns::COUNT)?,
            received_at: row.get(EventColumns::COUNT + 1)?,
            is_intact: body
                .as_deref()
                .is_some_and(|body| Sha256::digest(body)[..] == stored[..]),
            digest: row.get(EventColumns::COUNT + 2)?,
            body: body.map(Cow::into_owned).unwrap_or_default(),
            has_drift: row.get(EventColumns::COUNT + 4)?,
        })
    }

    /// When the event happened.
    pub(super) fn moment(&self) -> Moment {
        Moment::new(self.columns.timestamp, self.received_at, self.seq)
    }
}
