//! What readers filter by, found in any JSON object whether it is understood or not.

use serde::Deserialize;

use super::Drift;
use super::lenient::{self, Required, Value};
use super::reason::Reason;
use super::scalar::{Id, Integer, Text};

/// Its name as a key.
const TYPE_WEBHOOK: &str = "typeWebhook";

/// The type of a call from the account.
const OUTGOING_CALL: &str = "outgoingCall";

/// Bytes that an identifier or a name of a type may have; a longer one is not taken as a column.
const MAX_COLUMN_BYTES: usize = 128;

/// The values that an event is found by. What a body does not have, or has in a form that does not
/// fit, is `None`.
#[derive(Debug, Default)]
pub struct Columns<'a> {
    /// `instanceData.idInstance`.
    pub id_instance: Option<i64>,
    /// `instanceData.typeInstance`: `whatsapp`, `v3` (MAX), `telegram`.
    pub type_instance: Option<Text<'a>>,
    /// `typeWebhook`.
    pub type_webhook: Option<Text<'a>>,
    /// `messageData.typeMessage`, as it was spelled.
    pub type_message: Option<Text<'a>>,
    /// `idMessage`.
    pub id_message: Option<Text<'a>>,
    /// The chat it belongs to: `senderData.chatId`, `chatId`, `avatarInfo.chatId`, or `from` of a call
    /// from the account, which is the chat that was called.
    pub chat_id: Option<Text<'a>>,
    /// Who caused it: `senderData.sender`, or `from` of a call to the account.
    pub sender: Option<Text<'a>>,
    /// GREEN-API's own `timestamp`, in seconds since 1970 by its documents.
    pub timestamp: Option<i64>,
}

/// What is looked for.
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

/// An object of which nothing is looked for.
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
    /// Finds the columns of a JSON object. Of what does not fit, only a `typeWebhook` that stands
    /// there twice is added to `drift`: whether the other fields are described depends on the type.
    ///
    /// # Errors
    ///
    /// It is not JSON.
    pub(super) fn read(json: &'a str, drift: &mut Vec<Drift>) -> Result<Self, Reason> {
        // Nearly always all of it fits, and to see that is faster than to look at each by itself.
        if !has_control(json)
            && let Ok(found) = serde_json::from_str::<Found<'a>>(json)
        {
            return Ok(found.into());
        }
        serde_json::from_str::<Object>(json).map_err(|error| Reason::not_json(&error))?;
        let mut left_out = Vec::new();
        let found = serde_json::from_str::<Found<'a>>(json).or_else(|_| {
            let read = |value: Value<'a, '_>| Found::deserialize(value);
            lenient::read(json, "", Required::Refused, &mut left_out, read)
        })?;
        drift.extend(
            left_out
                .into_iter()
                .filter(|drift| drift.path == TYPE_WEBHOOK),
        );
        Ok(found.into())
    }

    /// The same, borrowing from nothing.
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
        // Of a call from the account, `from` is the chat that was called.
        let (called, calling) = match found.type_webhook.as_deref() {
            Some(OUTGOING_CALL) => (found.from, None),
            _ => (None, found.from),
        };
        Self {
            id_instance: id_instance.map(|id| id.0),
            type_instance: type_instance.and_then(fitting),
            type_webhook: found.type_webhook.and_then(fitting),
            type_message: found
                .message_data
                .and_then(|m| m.type_message)
                .and_then(fitting),
            id_message: found.id_message.and_then(identifier),
            chat_id: sender_chat
                .or(found.chat_id)
                .or(avatar_chat)
                .or(called)
                .and_then(identifier),
            sender: sender.or(calling).and_then(identifier),
            timestamp: found.timestamp.map(|timestamp| timestamp.0),
        }
    }
}

fn identifier(id: Id<'_>) -> Option<Text<'_>> {
    fitting(id.into_text())
}

fn fitting(text: Text<'_>) -> Option<Text<'_>> {
    (1..=MAX_COLUMN_BYTES).contains(&text.len()).then_some(text)
}

/// Whether there are control characters. In a string they are not JSON, which `serde_json` says of
/// what it passes over, but not of what it reads as bytes.
fn has_control(json: &str) -> bool {
    // Without an early end, so that many bytes are compared at once.
    json.bytes().fold(u8::MAX, u8::min) < b' '
}
