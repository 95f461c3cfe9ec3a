//! Payload of a message with an undocumented type. Most new message types carry their payload under a key
//! that is already known.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::notification::scalar::Text;

/// Payload keys and the message type whose struct reads each of them.
const PAYLOADS: [(&str, &str); 8] = [
    ("fileMessageData", "documentMessage"),
    ("locationMessageData", "locationMessage"),
    ("contactMessageData", "contactMessage"),
    ("pollMessageData", "pollMessage"),
    ("textMessageData", "textMessage"),
    ("statusTextMessageData", "textMessage"),
    ("extendedTextMessageData", "extendedTextMessage"),
    ("statusExtendedTextMessageData", "extendedTextMessage"),
];

/// The message type whose struct reads the payload of this `messageData`, if it has a known payload key.
pub(super) fn type_of(json: &str) -> Option<&'static str> {
    let members: HashMap<Text<'_>, &RawValue> = serde_json::from_str(json).ok()?;
    let mut payloads = PAYLOADS.into_iter();
    payloads
        .find(|(key, _)| members.contains_key(&Text::from(*key)))
        .map(|(_, type_message)| type_message)
}
