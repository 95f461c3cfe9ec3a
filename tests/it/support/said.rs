//! Notifications as GREEN-API sends them; tests change the fields that they are about.

use serde_json::{Value, json};

pub const INSTANCE: i64 = 1_101_000_001;
pub const CHAT: &str = "79004445566@c.us";

/// A timestamp for notifications, in seconds since 1970.
pub const NOON: i64 = 1_767_268_800;

/// An incoming message with this `messageData`.
pub fn message(id_message: &str, timestamp: i64, data: Value) -> Value {
    let mut body = json!({
        "typeWebhook": "incomingMessageReceived",
        "instanceData": { "idInstance": INSTANCE, "wid": "", "typeInstance": "whatsapp" },
        "timestamp": timestamp,
        "idMessage": id_message,
        "senderData": {
            "chatId": CHAT,
            "chatName": "Nina the baker",
            "sender": CHAT,
            "senderName": "Nina",
        },
    });
    body["messageData"] = data;
    body
}

/// A text message.
pub fn text(id_message: &str, timestamp: i64, text: &str) -> Value {
    let data = json!({
        "typeMessage": "textMessage",
        "textMessageData": { "textMessage": text },
    });
    message(id_message, timestamp, data)
}

/// A picture with a caption.
pub fn picture(id_message: &str, timestamp: i64, caption: &str) -> Value {
    let data = json!({
        "typeMessage": "imageMessage",
        "fileMessageData": {
            "downloadUrl": "https://example.com/files/bun.jpg",
            "caption": caption,
            "fileName": "bun.jpg",
            "mimeType": "image/jpeg",
        },
    });
    message(id_message, timestamp, data)
}

/// An edit of the message `of`: `key` is `textMessage` or `caption`, and `now` its new value.
pub fn edit(id_message: &str, timestamp: i64, of: &str, key: &str, now: &str) -> Value {
    let data = json!({
        "typeMessage": "editedMessage",
        "editedMessageData": { "stanzaId": of, key: now },
    });
    message(id_message, timestamp, data)
}

/// A deletion of the message `of`.
pub fn deletion(id_message: &str, timestamp: i64, of: &str) -> Value {
    let data = json!({
        "typeMessage": "deletedMessage",
        "deletedMessageData": { "stanzaId": of },
    });
    message(id_message, timestamp, data)
}

/// A reaction to the message `of`; an empty one withdraws the previous one.
pub fn reaction(id_message: &str, timestamp: i64, of: &str, sender: &str, emoji: &str) -> Value {
    let data = json!({
        "typeMessage": "reactionMessage",
        "extendedTextMessageData": { "text": emoji },
        "quotedMessage": { "stanzaId": of, "participant": CHAT },
    });
    let mut body = message(id_message, timestamp, data);
    body["senderData"]["sender"] = sender.into();
    body
}

/// A vote in the poll `of`: `voters` chose its only option.
pub fn vote(id_message: &str, timestamp: i64, of: &str, sender: &str, voters: &[&str]) -> Value {
    let data = json!({
        "typeMessage": "pollUpdateMessage",
        "pollMessageData": {
            "stanzaId": of,
            "name": "Rye or wheat?",
            "votes": [{ "optionName": "Rye", "optionVoters": voters }],
        },
    });
    let mut body = message(id_message, timestamp, data);
    body["senderData"]["sender"] = sender.into();
    body
}

/// A status of a message that was sent through the API.
pub fn status(id_message: &str, timestamp: i64, status: &str) -> Value {
    json!({
        "typeWebhook": "outgoingMessageStatus",
        "instanceData": { "idInstance": INSTANCE, "wid": "", "typeInstance": "whatsapp" },
        "timestamp": timestamp,
        "chatId": CHAT,
        "idMessage": id_message,
        "status": status,
        "sendByApi": true,
    })
}

/// An event of an incoming call.
pub fn call(id_message: &str, timestamp: i64, status: &str) -> Value {
    json!({
        "typeWebhook": "incomingCall",
        "instanceData": { "idInstance": INSTANCE, "wid": "", "typeInstance": "whatsapp" },
        "timestamp": timestamp,
        "idMessage": id_message,
        "from": CHAT,
        "status": status,
    })
}

/// A state of the instance.
pub fn state(timestamp: i64, state: &str) -> Value {
    json!({
        "typeWebhook": "stateInstanceChanged",
        "instanceData": { "idInstance": INSTANCE, "wid": "", "typeInstance": "whatsapp" },
        "timestamp": timestamp,
        "stateInstance": state,
    })
}

/// The same notification of another instance.
pub fn of(instance: i64, mut body: Value) -> Value {
    body["instanceData"]["idInstance"] = instance.into();
    body
}

/// The same notification in another chat.
pub fn within(chat: &str, mut body: Value) -> Value {
    if body["senderData"].is_object() {
        body["senderData"]["chatId"] = chat.into();
    } else {
        let key = if body["from"].is_null() {
            "chatId"
        } else {
            "from"
        };
        body[key] = chat.into();
    }
    body
}
