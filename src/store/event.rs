//! The notification that the writer stores, and the result.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::clock::UnixMillis;
use crate::model::OutcomeKind;
use crate::notification::scalar::Text;
use crate::notification::{Outcome, Parsed};

/// SHA-256 of a body.
pub type BodyDigest = [u8; 32];

/// A notification to store.
#[derive(Debug)]
pub struct NewEvent {
    pub(in crate::store) received_at: UnixMillis,
    pub(in crate::store) outcome: OutcomeKind,
    pub(in crate::store) reason: Option<String>,
    /// The omitted fields, as a JSON array; `None` for nearly every event.
    pub(in crate::store) drift: Option<String>,
    pub(in crate::store) id_instance: Option<i64>,
    pub(in crate::store) type_instance: Option<String>,
    pub(in crate::store) type_webhook: Option<String>,
    pub(in crate::store) type_message: Option<String>,
    pub(in crate::store) id_message: Option<String>,
    pub(in crate::store) chat_id: Option<String>,
    pub(in crate::store) sender: Option<String>,
    pub(in crate::store) timestamp: Option<i64>,
    pub(in crate::store) digest: BodyDigest,
    pub(in crate::store) body: Bytes,
}

impl NewEvent {
    /// How the body was parsed.
    #[must_use]
    pub fn outcome(&self) -> OutcomeKind {
        self.outcome
    }

    /// An event from a body that arrived at `received_at`, and its parsed form.
    #[must_use]
    pub fn new(received_at: UnixMillis, parsed: &Parsed<'_>, body: &Bytes) -> Self {
        let (outcome, reason) = match &parsed.outcome {
            Outcome::Known(_) => (OutcomeKind::Known, None),
            Outcome::Unknown(_) => (OutcomeKind::Unknown, None),
            Outcome::Malformed(reason) => (OutcomeKind::Malformed, Some(reason.to_string())),
        };
        let owned = |text: &Option<Text<'_>>| text.as_deref().map(str::to_owned);
        let columns = &parsed.columns;
        Self {
            received_at,
            outcome,
            reason,
            // Serializing strings cannot fail.
            drift: (!parsed.drift.is_empty())
                .then(|| serde_json::to_string(&parsed.drift).unwrap_or_default()),
            id_instance: columns.id_instance,
            type_instance: owned(&columns.type_instance),
            type_webhook: owned(&columns.type_webhook),
            type_message: owned(&columns.type_message),
            id_message: owned(&columns.id_message),
            chat_id: owned(&columns.chat_id),
            sender: owned(&columns.sender),
            timestamp: columns.timestamp,
            digest: Sha256::digest(body).into(),
            body: body.clone(),
        }
    }
}

/// The result of storing a notification: it is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its `seq`; for a duplicate, the `seq` of the first delivery.
    pub seq: i64,
    /// Whether it is a duplicate.
    pub repeated: bool,
}
