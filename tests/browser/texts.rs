//! Bodies that the tests send.

use serde_json::{Value, json};

pub const CHAT: &str = "/chats/1101000001/79990000001%40c.us";

fn instance() -> Value {
    json!({ "idInstance": 1_101_000_001, "wid": "79001234567@c.us", "typeInstance": "whatsapp" })
}

fn message(type_webhook: &str, id: &str, text: &str) -> String {
    json!({
        "typeWebhook": type_webhook, "instanceData": instance(),
        "timestamp": 1_767_225_590, "idMessage": id,
        "senderData": { "chatId": "79990000001@c.us", "sender": "79990000001@c.us", "senderName": "Ivan" },
        "messageData": { "typeMessage": "textMessage", "textMessageData": { "textMessage": text } },
    })
    .to_string()
}

/// A text from Ivan.
pub fn incoming(id: &str, text: &str) -> String {
    message("incomingMessageReceived", id, text)
}

/// A text that a program sent to Ivan.
pub fn sent(id: &str, text: &str) -> String {
    message("outgoingAPIMessageReceived", id, text)
}

/// A delivery status of a text to Ivan.
pub fn status(id: &str, name: &str) -> String {
    json!({ "typeWebhook": "outgoingMessageStatus", "instanceData": instance(), "timestamp": 1_767_225_591,
        "chatId": "79990000001@c.us", "idMessage": id, "status": name })
    .to_string()
}

/// Every sample.
pub fn samples() -> Vec<Vec<u8>> {
    let values = green_inbox::sample::Values {
        id_instance: 1_101_000_001,
        serial: 1,
        timestamp: 1_767_225_590,
    };
    let all = green_inbox::sample::all();
    all.iter().map(|sample| sample.body(&values)).collect()
}
