//! An event as the API shows it: a stored notification and what was understood of it.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::clock::UnixMillis;
use crate::notification::Drift;

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
    #[must_use]
    pub fn unreadable(seq: i64) -> Self {
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
