//! The columns of a malformed body.

use serde_json::{Value, json};

use super::{INCOMING, text_message};
use crate::notification::{columns, kind, line, merged, parse, with, without};

/// A missing or malformed field does not hide the other columns that clients filter by.
#[test]
fn missing_or_malformed_field_nulls_only_its_own_columns() {
    let line = line::whatsapp();
    let all = line.message_columns(INCOMING, Some("textMessage"));
    let body = text_message();
    for (body, changed) in [
        (
            with(&body, "/messageData", json!([7])),
            json!({ "type_message": null }),
        ),
        (
            without(&body, "/messageData"),
            json!({ "type_message": null }),
        ),
        (
            with(&body, "/instanceData/idInstance", json!(0.5)),
            json!({ "id_instance": null }),
        ),
        (
            with(&body, "/instanceData", json!("7103")),
            json!({ "id_instance": null, "type_instance": null }),
        ),
        (
            with(&body, "/typeWebhook", json!(7)),
            json!({ "type_webhook": null }),
        ),
        (
            without(&body, "/typeWebhook"),
            json!({ "type_webhook": null }),
        ),
    ] {
        let text = body.to_string();
        let parsed = parse(text.as_bytes());
        assert_eq!(kind(&parsed), "malformed", "{body}");
        assert_eq!(columns(&parsed), merged(all.clone(), changed), "{body}");
    }
}

/// An identifier of more than 128 bytes leaves its column empty, but the body stays known.
#[test]
fn identifier_over_128_bytes_leaves_its_column_empty() {
    let body = text_message();
    for (length, kept) in [(128, true), (129, false)] {
        let long = "7".repeat(length);
        let body = with(&body, "/idMessage", json!(long));
        let body = with(&body, "/senderData/chatId", json!(long));
        let body = with(&body, "/senderData/sender", json!(long)).to_string();
        let parsed = parse(body.as_bytes());
        assert_eq!(kind(&parsed), "known");
        let columns = &parsed.columns;
        for column in [&columns.id_message, &columns.chat_id, &columns.sender] {
            assert_eq!(column.as_deref(), kept.then_some(long.as_str()));
        }
    }
}

/// In a body that is not valid JSON, the columns before the fault are still read.
#[test]
fn columns_before_a_fault_are_read() {
    let read = |body: &[u8]| {
        let parsed = parse(body);
        assert_eq!(kind(&parsed), "malformed", "{parsed:?}");
        let columns = columns(&parsed);
        ["type_webhook", "id_message", "chat_id", "id_instance"].map(|key| columns[key].clone())
    };
    let prefix = r#"{"typeWebhook":"incomingCall","idMessage":"A,{1","senderData":{"chatId":"7@c.us"},"instanceData":{"idInstance":"#;
    let all = |instance| {
        [
            json!("incomingCall"),
            json!("A,{1"),
            json!("7@c.us"),
            instance,
        ]
    };
    let null = Value::Null;
    // GREEN-API's own curl example has this number, with leading zeros.
    assert_eq!(
        read(format!("{prefix}000001}}}}").as_bytes()),
        all(null.clone())
    );
    assert_eq!(read(format!("{prefix}7, bread").as_bytes()), all(json!(7)));
    assert_eq!(read(format!("{prefix}7}}, ").as_bytes()), all(json!(7)));
    assert_eq!(read(format!("{prefix}7}}}}}}").as_bytes()), all(json!(7)));
    assert_eq!(read(prefix.as_bytes()), all(null.clone()));
    let mut broken = format!("{prefix}7,\n\"wid\":\"").into_bytes();
    broken.extend(b"\xFF\"}}");
    assert_eq!(read(&broken), all(json!(7)));
    let all_null = [null.clone(), null.clone(), null.clone(), null];
    for body in ["", "[", "bread", "{", "{\"typeWebhook\":\"incoming", "[[["] {
        assert_eq!(read(body.as_bytes()), all_null, "{body}");
    }
}
