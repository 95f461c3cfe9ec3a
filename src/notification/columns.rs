//! The fields that clients filter by, extracted from any JSON object, documented or not.

use serde::Deserialize;

use super::Drift;
use super::lenient::{self, Required, Value};
use super::reason::Reason;
use super::scalar::{Id, Integer, Text};

/// Key of the notification type.
const TYPE_WEBHOOK: &str = "typeWebhook";

/// `typeWebhook` of an outgoing call.
const OUTGOING_CALL: &str = "outgoingCall";

/// Maximum bytes of an identifier or type name; a longer value is not stored as a column.
const MAX_COLUMN_BYTES: usize = 128;

/// The values by which events are filtered. A value is `None` if the body lacks it or has it in the wrong
/// form.
#[derive(Debug, Default)]
pub struct Columns<'a> {
    /// `instanceData.idInstance`.
    pub id_instance: Option<i64>,
    /// `instanceData.typeInstance`: `whatsapp`, `v3` (MAX), `telegram`.
    pub type_instance: Option<Text<'a>>,
    /// `typeWebhook`.
    pub type_webhook: Option<Text<'a>>,
    /// `messageData.typeMessage`, spelled as received.
    pub type_message: Option<Text<'a>>,
    /// `idMessage`.
    pub id_message: Option<Text<'a>>,
    /// Chat of the event: `senderData.chatId`, `chatId`, `avatarInfo.chatId`, or `from` of an outgoing
    /// call, which is the chat that was called.
    pub chat_id: Option<Text<'a>>,
    /// Sender of the message (`senderData.sender`) or caller of an incoming call (`from`).
    pub sender: Option<Text<'a>>,
    /// The notification's `timestamp`; Unix seconds, according to GREEN-API's docs.
    pub timestamp: Option<i64>,
}

/// The JSON fields that become columns.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
struct Found<'a> {
    type_webhook: Option<Text<'a>>,
    instance_data: Option<Instance<'a>>,
    timestamp: Option<Integer>,
    id_message: Option<Id<'a>>,
    sender_data: Option<Sender<'a>>,
    message_data: Option<Message<'a>>,
    chat_id: Option<Id<'a>>,
    from: Option<Id<'a>>,
    avatar_info: Option<Avatar<'a>>,
}

/// Any JSON object; its fields are ignored.
#[derive(Deserialize)]
struct Object {}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
struct Instance<'a> {
    id_instance: Option<Integer>,
    type_instance: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
struct Sender<'a> {
    chat_id: Option<Id<'a>>,
    sender: Option<Id<'a>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
struct Message<'a> {
    type_message: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
struct Avatar<'a> {
    chat_id: Option<Id<'a>>,
}

impl<'a> Columns<'a> {
    /// Reads the columns of a JSON object. Of the misfits, only a duplicate `typeWebhook` key is added to
    /// `drift`, because whether the other fields are documented depends on the type.
    ///
    /// # Errors
    ///
    /// Fails if `json` is not a JSON object.
    pub(super) fn read(json: &'a str, drift: &mut Vec<Drift>) -> Result<Self, Reason> {
        // Fast path: in nearly every body all fields fit, so try a single strict pass first.
        if !has_control(json)
            && let Ok(found) = serde_json::from_str::<Found<'a>>(json)
        {
            return Ok(found.into());
        }
        serde_json::from_str::<Object>(json).map_err(|error| Reason::not_json(&error))?;
        let mut omitted = Vec::new();
        let found = serde_json::from_str::<Found<'a>>(json).or_else(|_| {
            let read = |value: Value<'a, '_>| Found::deserialize(value);
            lenient::read(json, "", Required::Refused, &mut omitted, read)
        })?;
        drift.extend(
            omitted
                .into_iter()
                .filter(|drift| drift.path == TYPE_WEBHOOK),
        );
        Ok(found.into())
    }

    /// Converts to owned values.
    pub(super) fn into_owned(self) -> Columns<'static> {
        let owned = |text: Option<Text<'a>>| text.map(Text::into_owned);
        Columns {
            id_instance: self.id_instance,
            type_instance: owned(self.type_instance),
            type_webhook: owned(self.type_webhook),
            type_message: owned(self.type_message),
            id_message: owned(self.id_message),
            chat_id: owned(self.chat_id),
            sender: owned(self.sender),
            timestamp: self.timestamp,
        }
    }
}

impl<'a> From<Found<'a>> for Columns<'a> {
    fn from(found: Found<'a>) -> Self {
        let (id_instance, type_instance) = found
            .instance_data
            .map_or((None, None), |i| (i.id_instance, i.type_instance));
        let (sender_chat, sender) = found
            .sender_data
            .map_or((None, None), |s| (s.chat_id, s.sender));
        let avatar_chat = found.avatar_info.and_then(|avatar| avatar.chat_id);
        // In an outgoing call, `from` is the chat that was called.
        let (called_chat, caller) = match found.type_webhook.as_deref() {
            Some(OUTGOING_CALL) => (found.from, None),
            _ => (None, found.from),
        };
        Self {
            id_instance: id_instance.map(|id| id.0),
            type_instance: type_instance.and_then(within_limit),
            type_webhook: found.type_webhook.and_then(within_limit),
            type_message: found
                .message_data
                .and_then(|m| m.type_message)
                .and_then(within_limit),
            id_message: found.id_message.and_then(identifier),
            chat_id: sender_chat
                .or(found.chat_id)
                .or(avatar_chat)
                .or(called_chat)
                .and_then(identifier),
            sender: sender.or(caller).and_then(identifier),
            timestamp: found.timestamp.map(|timestamp| timestamp.0),
        }
    }
}

fn identifier(id: Id<'_>) -> Option<Text<'_>> {
    within_limit(id.into_text())
}

fn within_limit(text: Text<'_>) -> Option<Text<'_>> {
    (1..=MAX_COLUMN_BYTES).contains(&text.len()).then_some(text)
}

/// Whether the text contains control characters. They are invalid inside JSON strings; `serde_json`
/// rejects them in values that it skips, but not in strings that it reads as bytes.
fn has_control(json: &str) -> bool {
    // No early exit, so that the compiler can vectorize the loop.
    json.bytes().fold(u8::MAX, u8::min) < b' '
}
