//! What nobody has described is kept with its columns.

use serde_json::json;

use super::{columns, kind, line, messages, parse};

#[test]
fn a_type_of_notification_that_nobody_knows() {
    let body = json!({
        "typeWebhook": "chatRenamed",
        "instanceData": { "idInstance": "7103", "typeInstance": "v3" },
        "timestamp": "1790000001",
        "idMessage": 115_700_000_000_000_001_u64,
        "chatId": -70_000_000_000_001_i64,
        "from": "10000001",
        "newName": "Соседи",
    });
    let body = body.to_string();
    let parsed = parse(body.as_bytes());
    assert_eq!(kind(&parsed), "unknown");
    assert_eq!(
        columns(&parsed),
        json!({
            "id_instance": 7103,
            "type_instance": "v3",
            "type_webhook": "chatRenamed",
            "type_message": null,
            "id_message": "115700000000000001",
            "chat_id": "-70000000000001",
            "sender": "10000001",
            "timestamp": 1_790_000_001,
        })
    );
}

#[test]
fn nothing_but_a_type() {
    let parsed = parse(r#"{"typeWebhook":"новость"}"#.as_bytes());
    assert_eq!(kind(&parsed), "unknown");
    assert_eq!(parsed.columns.type_webhook.as_deref(), Some("новость"));
}

#[test]
fn a_type_of_message_that_nobody_knows() {
    for line in line::all() {
        for type_webhook in messages::WEBHOOKS {
            let data = json!({ "typeMessage": "hologramMessage", "hologram": { "рост": 2 } });
            let body = line.message(type_webhook, data).to_string();
            let parsed = parse(body.as_bytes());
            assert_eq!(kind(&parsed), "unknown", "{}: {body}", line.name);
            assert_eq!(
                columns(&parsed),
                line.message_columns(type_webhook, Some("hologramMessage"))
            );
        }
    }
}

/// Tags are compared as they are: another case of a letter is another type, except where the wild
/// has shown it.
#[test]
fn tags_are_case_sensitive() {
    let body = br#"{"typeWebhook":"IncomingMessageReceived","instanceData":{"idInstance":1}}"#;
    assert_eq!(kind(&parse(body)), "unknown");
}

/// The variants of an enum that stand for "in no document" are no types of their own.
#[test]
fn unknown_is_not_the_name_of_a_type() {
    let body = br#"{"typeWebhook":"unknown"}"#;
    assert_eq!(kind(&parse(body)), "unknown");
}
