//! An event as the projection reads it.

use crate::model::{Moment, OutcomeKind};

/// A row of the events.
pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) received_at: i64,
    pub(super) outcome: OutcomeKind,
    pub(super) id_instance: Option<i64>,
    pub(super) type_instance: Option<String>,
    pub(super) type_webhook: Option<String>,
    pub(super) type_message: Option<String>,
    pub(super) chat_id: Option<String>,
    pub(super) sender: Option<String>,
    pub(super) timestamp: Option<i64>,
    /// Whether some fields do not match the documented format.
    pub(super) has_drift: bool,
    pub(super) digest: [u8; 32],
    pub(super) body: Vec<u8>,
}

impl Row {
    /// When the event happened.
    pub(super) fn moment(&self) -> Moment {
        Moment::new(self.timestamp, self.received_at, self.seq)
    }
}
