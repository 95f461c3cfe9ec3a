//! What is inside of a message whose type nobody has described: most new types bring a payload under
//! a key that is known.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::notification::scalar::Text;

/// Keys of payloads, and the type of message that reads them.
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

/// The type of message that reads the payload of this `messageData`, if it has one that is known.
pub(super) fn type_of(json: &str) -> Option<&'static str> {
    let members: HashMap<Text<'_>, &RawValue> = serde_json::from_str(json).ok()?;
    let mut payloads = PAYLOADS.into_iter();
    payloads
        .find(|(key, _)| members.contains_key(&Text::from(*key)))
        .map(|(_, type_message)| type_message)
}
