//! The documented message types (`typeMessage`), in every product line and under each `typeWebhook`
//! that carries messages.

mod answers;
mod changes;
mod choices;
mod files;
mod polls;
mod texts;
mod things;

use green_inbox::notification::{MessageContent, Notification};
use serde_json::{Value, json};

use super::{columns, content, known, line, message, parse, with};

/// The notification types that carry a message.
pub(super) const WEBHOOKS: [&str; 3] = [
    "incomingMessageReceived",
    "outgoingMessageReceived",
    "outgoingAPIMessageReceived",
];

/// A `typeMessage`, the key and value of its payload, and a check of the parsed content.
pub(super) struct Row {
    pub(super) type_message: &'static str,
    pub(super) key: &'static str,
    payload: Value,
    matches: fn(&MessageContent<'_>) -> bool,
}

impl Row {
    pub(super) fn message_data(&self) -> Value {
        json!({ "typeMessage": self.type_message, self.key: self.payload.clone() })
    }
}

/// The table of message types, one row for each `typeMessage`.
pub(super) fn rows() -> Vec<Row> {
    [
        texts::rows(),
        changes::rows(),
        files::rows(),
        things::rows(),
        polls::rows(),
        choices::rows(),
        choices::action_rows(),
        answers::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn message_type_is_known_in_every_product_line_and_webhook() {
    for row in rows() {
        for line in line::all() {
            for type_webhook in WEBHOOKS {
                let body = line.message(type_webhook, row.message_data()).to_string();
                let parsed = parse(body.as_bytes());
                assert_eq!(
                    columns(&parsed),
                    line.message_columns(type_webhook, Some(row.type_message)),
                    "{}: {body}",
                    line.name
                );
                let content = content(&parsed);
                assert!((row.matches)(content), "{}: {content:?}", line.name);
            }
        }
    }
}

/// The three notification types share a struct, but each is parsed into its own variant.
#[test]
fn each_message_webhook_is_parsed_into_its_own_variant() {
    for type_webhook in WEBHOOKS {
        let data = json!({ "typeMessage": "textMessage", "textMessageData": {} });
        let body = line::waba().message(type_webhook, data).to_string();
        let found = match known(&parse(body.as_bytes())) {
            Notification::IncomingMessageReceived(_) => "incomingMessageReceived",
            Notification::OutgoingMessageReceived(_) => "outgoingMessageReceived",
            Notification::OutgoingApiMessageReceived(_) => "outgoingAPIMessageReceived",
            other => panic!("expected a message, found {other:?}"),
        };
        assert_eq!(found, type_webhook);
    }
}

#[test]
fn every_field_of_the_sender_is_read() {
    let data = json!({ "typeMessage": "textMessage", "textMessageData": {} });
    let mut body = line::max().message("incomingMessageReceived", data);
    body["senderData"] = json!({
        "chatId": "-70000000000021",
        "sender": 10_000_021,
        "chatName": "Двор",
        "senderName": "Маша",
        "senderContactName": "Мария",
        "senderPhoneNumber": 79_000_000_021_i64,
        "chatType": "group",
        "senderType": "user",
    });
    let body = body.to_string();
    let parsed = parse(body.as_bytes());
    let sender = message(&parsed).sender_data.as_ref().unwrap();
    assert_eq!(sender.chat_id.as_deref(), Some("-70000000000021"));
    assert_eq!(sender.sender.as_deref(), Some("10000021"));
    assert_eq!(sender.chat_name.as_deref(), Some("Двор"));
    assert_eq!(sender.sender_name.as_deref(), Some("Маша"));
    assert_eq!(sender.sender_contact_name.as_deref(), Some("Мария"));
    assert_eq!(sender.sender_phone_number.as_deref(), Some("79000000021"));
    assert_eq!(sender.chat_type.as_deref(), Some("group"));
    assert_eq!(sender.sender_type.as_deref(), Some("user"));
}

/// A message of any type may quote another one, whose payload has its own keys.
#[test]
fn quoted_message_is_read_in_every_message_type() {
    let quoted = json!({
        "stanzaId": "C1",
        "participant": "79000000022@c.us",
        "typeMessage": "textMessage",
        "textMessage": "Как дела?",
        "downloadUrl": "https://example.org/f",
        "caption": "подпись",
        "fileName": "ф.txt",
        "jpegThumbnail": "Yw==",
        "contact": { "displayName": "Анна" },
        "location": { "latitude": "1.5", "longitude": 2 },
        "extendedTextMessage": { "title": "Новости", "jpegThumbnail": null },
        "pollMessageData": { "name": "Когда?", "options": [{ "optionName": "Завтра" }] },
    });
    for row in rows() {
        let data = with(&row.message_data(), "/quotedMessage", quoted.clone());
        let body = line::whatsapp().message("incomingMessageReceived", data);
        let body = body.to_string();
        let parsed = parse(body.as_bytes());
        let data = message(&parsed).message_data.as_ref().unwrap();
        let found = data.quoted_message.as_ref().unwrap();
        assert_eq!(found.stanza_id.as_deref(), Some("C1"));
        assert_eq!(found.participant.as_deref(), Some("79000000022@c.us"));
        assert_eq!(found.type_message.as_deref(), Some("textMessage"));
        assert_eq!(found.text_message.as_deref(), Some("Как дела?"));
        assert_eq!(found.download_url.as_deref(), Some("https://example.org/f"));
        assert_eq!(found.caption.as_deref(), Some("подпись"));
        assert_eq!(found.file_name.as_deref(), Some("ф.txt"));
        assert_eq!(found.jpeg_thumbnail.as_deref(), Some("Yw=="));
        let contact = found.contact.as_ref().unwrap();
        assert_eq!(contact.display_name.as_deref(), Some("Анна"));
        let location = found.location.as_ref().unwrap();
        assert_eq!(location.latitude.map(|degrees| degrees.0), Some(1.5));
        let link = found.extended_text_message.as_ref().unwrap();
        assert_eq!(link.title.as_deref(), Some("Новости"));
        let poll = found.poll_message_data.as_ref().unwrap();
        assert_eq!(poll.options.as_ref().unwrap().len(), 1);
        // The column is the `typeMessage` of the message itself, not of the quoted one.
        assert_eq!(
            parsed.columns.type_message.as_deref(),
            Some(row.type_message)
        );
    }
}
