//! The notification that the writer stores, and the result.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::columns::EventColumns;
use crate::clock::UnixMillis;
use crate::model::{Attention, Origin, OutcomeKind};
use crate::notification::Parsed;

/// SHA-256 of a body.
pub type BodyDigest = [u8; 32];

/// A notification to store.
#[derive(Debug)]
pub struct NewEvent {
    pub(in crate::store) received_at: UnixMillis,
    pub(in crate::store) columns: EventColumns,
    /// The omitted fields, as a JSON array; `None` for nearly every event.
    pub(in crate::store) drift: Option<String>,
    /// Set if an operator should hear about the event; `None` for nearly every event.
    pub(in crate::store) attention: Option<&'static str>,
    pub(in crate::store) origin: Origin,
    pub(in crate::store) digest: BodyDigest,
    pub(in crate::store) body: Bytes,
}

impl NewEvent {
    /// How the body was parsed.
    #[must_use]
    pub fn outcome(&self) -> OutcomeKind {
        self.columns.outcome
    }

    /// The same event with another origin than the webhook.
    #[must_use]
    pub fn with_origin(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// An event from a body that arrived at `received_at`, and its parsed form.
    #[must_use]
    pub fn new(received_at: UnixMillis, parsed: &Parsed<'_>, body: &Bytes) -> Self {
        Self {
            received_at,
            columns: EventColumns::of(parsed),
            // Serializing strings cannot fail.
            drift: (!parsed.drift.is_empty())
                .then(|| serde_json::to_string(&parsed.drift).unwrap_or_default()),
            attention: Attention::meaning(parsed),
            origin: Origin::Webhook,
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
