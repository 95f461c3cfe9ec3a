//! An event as the API returns it: a stored notification and its parsed fields.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Origin;
use super::kept_file::KeptFile;
use crate::clock::UnixMillis;
use crate::notification::Drift;

/// How a body was parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Outcome)]
#[serde(rename_all = "lowercase")]
pub enum OutcomeKind {
    /// A documented notification.
    Known,
    /// A notification of an undocumented type.
    Unknown,
    /// Not a valid notification.
    Malformed,
}

impl OutcomeKind {
    /// Its name in the database and in responses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Unknown => "unknown",
            Self::Malformed => "malformed",
        }
    }

    /// The outcome with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Known, Self::Unknown, Self::Malformed]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// A stored notification as the API returns it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Sequence number: the position of the event in commit order.
    pub seq: i64,
    /// When the notification first arrived.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: UnixMillis,
    /// When the notification last arrived.
    #[schema(value_type = String, format = DateTime)]
    pub last_received_at: UnixMillis,
    /// How many times the notification was delivered.
    pub deliveries: i64,
    /// How the body was parsed.
    pub outcome: OutcomeKind,
    /// Why the body is malformed; null otherwise.
    #[schema(required)]
    pub reason: Option<String>,
    /// Fields that do not match their documented form and therefore read as null.
    pub drift: Vec<Drift>,
    /// Seq of the earlier event with the same content. It is set after the commit, normally within
    /// milliseconds; null until then, and if there is no such event.
    #[schema(required)]
    pub duplicate_of: Option<i64>,
    /// How the notification came first.
    pub origin: Origin,
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
    /// Identifier of the chat.
    #[schema(required)]
    pub chat_id: Option<String>,
    /// Sender of the message, or caller of an incoming call.
    #[schema(required)]
    pub sender: Option<String>,
    /// Timestamp from the notification, Unix seconds.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// Present and true if the thumbnails of the body were removed after `storage.strip_thumbnails_days`: each
    /// `jpegThumbnail` is an empty string, and all else is as it was received.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub thinned: bool,
    /// What has become of the file that the event names, if its account keeps files. Only `/events/{seq}` has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<KeptFile>,
    /// Present and true if the event is damaged on disk, so that its body or other fields cannot be
    /// returned. If nothing of the event can be read, only its `seq` is reliable.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
    /// The body, if the request asked for it: as JSON if it is valid JSON, otherwise as a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    pub body: Option<Box<RawValue>>,
}

impl Event {
    /// An event of which only the seq is known.
    #[must_use]
    pub fn unreadable(seq: i64) -> Self {
        Self {
            seq,
            received_at: UnixMillis(0),
            last_received_at: UnixMillis(0),
            deliveries: 1,
            outcome: OutcomeKind::Malformed,
            reason: Some("the event cannot be read from disk".to_owned()),
            drift: Vec::new(),
            duplicate_of: None,
            origin: Origin::Webhook,
            id_instance: None,
            type_instance: None,
            type_webhook: None,
            type_message: None,
            id_message: None,
            chat_id: None,
            sender: None,
            timestamp: None,
            thinned: false,
            file: None,
            damaged: true,
            body: None,
        }
    }
}
