//! Notifications and messages of undocumented types are kept with their columns.

use serde_json::json;

use super::{columns, kind, line, messages, parse};

#[test]
fn unknown_notification_type_keeps_its_columns() {
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
fn body_with_only_a_type_is_unknown() {
    let parsed = parse(r#"{"typeWebhook":"новость"}"#.as_bytes());
    assert_eq!(kind(&parsed), "unknown");
    assert_eq!(parsed.columns.type_webhook.as_deref(), Some("новость"));
}

#[test]
fn unknown_message_type_keeps_its_columns() {
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

/// Another letter case is another type, except for the spellings that were seen in the wild.
#[test]
fn types_are_case_sensitive() {
    let body = br#"{"typeWebhook":"IncomingMessageReceived","instanceData":{"idInstance":1}}"#;
    assert_eq!(kind(&parse(body)), "unknown");
}

/// The enum variants for undocumented values are not types of their own.
#[test]
fn type_named_unknown_is_unknown() {
    let body = br#"{"typeWebhook":"unknown"}"#;
    assert_eq!(kind(&parse(body)), "unknown");
}
