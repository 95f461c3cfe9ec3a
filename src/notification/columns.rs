//! What readers filter by, found in any JSON object whether it is understood or not.

use serde::Deserialize;

use super::reason::Reason;
use super::scalar::{Id, Integer, Lenient, Text};

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
    /// The chat it belongs to: `senderData.chatId`, `chatId` or `avatarInfo.chatId`.
    pub chat_id: Option<Text<'a>>,
    /// Who caused it: `senderData.sender`, or `from` of a call.
    pub sender: Option<Text<'a>>,
    /// GREEN-API's own `timestamp`, in seconds since 1970 by its documents.
    pub timestamp: Option<i64>,
}

/// What is looked for. `LENIENT`: what does not fit is passed over, else it is an error.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
struct Found<'a, const LENIENT: bool> {
    #[serde(default)]
    type_webhook: Lenient<Text<'a>, LENIENT>,
    #[serde(default)]
    instance_data: Lenient<Instance<'a, LENIENT>, LENIENT>,
    #[serde(default)]
    timestamp: Lenient<Integer, LENIENT>,
    #[serde(default)]
    id_message: Lenient<Id<'a>, LENIENT>,
    #[serde(default)]
    sender_data: Lenient<Sender<'a, LENIENT>, LENIENT>,
    #[serde(default)]
    message_data: Lenient<Message<'a, LENIENT>, LENIENT>,
    #[serde(default)]
    chat_id: Lenient<Id<'a>, LENIENT>,
    #[serde(default)]
    from: Lenient<Id<'a>, LENIENT>,
    #[serde(default)]
    avatar_info: Lenient<Avatar<'a, LENIENT>, LENIENT>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
struct Instance<'a, const LENIENT: bool> {
    #[serde(default)]
    id_instance: Lenient<Integer, LENIENT>,
    #[serde(default)]
    type_instance: Lenient<Text<'a>, LENIENT>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
struct Sender<'a, const LENIENT: bool> {
    #[serde(default)]
    chat_id: Lenient<Id<'a>, LENIENT>,
    #[serde(default)]
    sender: Lenient<Id<'a>, LENIENT>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
struct Message<'a, const LENIENT: bool> {
    #[serde(default)]
    type_message: Lenient<Text<'a>, LENIENT>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
struct Avatar<'a, const LENIENT: bool> {
    #[serde(default)]
    chat_id: Lenient<Id<'a>, LENIENT>,
}

impl<'a> Columns<'a> {
    /// Finds the columns of a JSON object.
    ///
    /// # Errors
    ///
    /// It is not JSON, or one of the keys stands there twice.
    pub(super) fn read(json: &'a str) -> Result<Self, Reason> {
        // Nearly always all of it fits, and to see that is faster than to look at each by itself.
        if !has_control(json)
            && let Ok(found) = serde_json::from_str::<Found<'a, false>>(json)
        {
            return Ok(found.into());
        }
        serde_json::from_str::<Found<'a, true>>(json)
            .map(Self::from)
            .map_err(|error| Reason::misfit("", &error))
    }
}

impl<'a, const LENIENT: bool> From<Found<'a, LENIENT>> for Columns<'a> {
    fn from(found: Found<'a, LENIENT>) -> Self {
        let instance = found.instance_data.0;
        let (id_instance, type_instance) =
            instance.map_or((None, None), |i| (i.id_instance.0, i.type_instance.0));
        let sender_data = found.sender_data.0;
        let (sender_chat, sender) = sender_data.map_or((None, None), |s| (s.chat_id.0, s.sender.0));
        let avatar_chat = found.avatar_info.0.and_then(|avatar| avatar.chat_id.0);
        Self {
            id_instance: id_instance.map(|id| id.0),
            type_instance: type_instance.and_then(fitting),
            type_webhook: found.type_webhook.0.and_then(fitting),
            type_message: found
                .message_data
                .0
                .and_then(|m| m.type_message.0)
                .and_then(fitting),
            id_message: found.id_message.0.and_then(identifier),
            chat_id: sender_chat
                .or(found.chat_id.0)
                .or(avatar_chat)
                .and_then(identifier),
            sender: sender.or(found.from.0).and_then(identifier),
            timestamp: found.timestamp.0.map(|timestamp| timestamp.0),
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
