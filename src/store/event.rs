//! An event: a notification on its way into the database, and as it is given back.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::clock::UnixMillis;
use crate::notification::scalar::Text;
use crate::notification::{Drift, Outcome, Parsed};

/// What was made of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Outcome)]
#[serde(rename_all = "lowercase")]
pub enum OutcomeKind {
    /// Described and understood.
    Known,
    /// A type that nobody has described.
    Unknown,
    /// Not a notification.
    Malformed,
}

impl OutcomeKind {
    /// Its name, as it is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Unknown => "unknown",
            Self::Malformed => "malformed",
        }
    }

    /// The outcome of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Known, Self::Unknown, Self::Malformed]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// SHA-256 of a body.
pub type BodyDigest = [u8; 32];

/// A notification that is to be stored.
#[derive(Debug)]
pub struct NewEvent {
    pub(super) received_at: UnixMillis,
    pub(super) outcome: OutcomeKind,
    pub(super) reason: Option<String>,
    /// The fields that were left out, as a JSON array; `None` for nearly every event.
    pub(super) drift: Option<String>,
    pub(super) id_instance: Option<i64>,
    pub(super) type_instance: Option<String>,
    pub(super) type_webhook: Option<String>,
    pub(super) type_message: Option<String>,
    pub(super) id_message: Option<String>,
    pub(super) chat_id: Option<String>,
    pub(super) sender: Option<String>,
    pub(super) timestamp: Option<i64>,
    pub(super) digest: BodyDigest,
    pub(super) body: Bytes,
}

impl NewEvent {
    /// What was made of the body.
    #[must_use]
    pub fn outcome(&self) -> OutcomeKind {
        self.outcome
    }

    /// A body that arrived at `received_at` and what was understood of it.
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
            // Texts are always JSON.
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

/// A notification that is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its place; the first one where it came before.
    pub seq: i64,
    /// Whether it came before.
    pub repeated: bool,
}

/// A stored notification as it is given back.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its place in the order of commits.
    pub seq: i64,
    /// When it came first.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: UnixMillis,
    /// When it came last.
    #[schema(value_type = String, format = DateTime)]
    pub last_received_at: UnixMillis,
    /// How often it came.
    pub deliveries: i64,
    /// What was made of it.
    pub outcome: OutcomeKind,
    /// Why it is malformed.
    #[schema(required)]
    pub reason: Option<String>,
    /// Fields that do not have the form in which they are described, and read as null.
    pub drift: Vec<Drift>,
    /// The earlier event that says the same. It is found behind the commits: null until then, which
    /// normally takes milliseconds, and where there is none.
    #[schema(required)]
    pub duplicate_of: Option<i64>,
    /// `instanceData.idInstance`.
    #[schema(required)]
    pub id_instance: Option<i64>,
    /// `instanceData.typeInstance`.
    #[schema(required)]
    pub type_instance: Option<String>,
    /// `typeWebhook`.
    #[schema(required)]
    pub type_webhook: Option<String>,
    /// `messageData.typeMessage`.
    #[schema(required)]
    pub type_message: Option<String>,
    /// `idMessage`.
    #[schema(required)]
    pub id_message: Option<String>,
    /// The chat.
    #[schema(required)]
    pub chat_id: Option<String>,
    /// Who caused it.
    #[schema(required)]
    pub sender: Option<String>,
    /// GREEN-API's own timestamp, seconds since 1970.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// Whether it is damaged on the disk, so that its body or more of it cannot be given. Of an event
    /// of which nothing can be read only the `seq` is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
    /// The body, where it was asked for: itself where it is JSON, else its text as a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    pub body: Option<Box<RawValue>>,
}

impl Event {
    /// An event of which only the place is known.
    pub(super) fn unreadable(seq: i64) -> Self {
        Self {
            seq,
            received_at: UnixMillis(0),
            last_received_at: UnixMillis(0),
            deliveries: 1,
            outcome: OutcomeKind::Malformed,
            reason: Some("it cannot be read from the disk".to_owned()),
            drift: Vec::new(),
            duplicate_of: None,
            id_instance: None,
            type_instance: None,
            type_webhook: None,
            type_message: None,
            id_message: None,
            chat_id: None,
            sender: None,
            timestamp: None,
            damaged: true,
            body: None,
        }
    }
}
