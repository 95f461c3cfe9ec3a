//! The columns of what is malformed.

use serde_json::json;

use super::{INCOMING, text_message};
use crate::notification::{columns, kind, line, merged, parse, with, without};

/// A misfit in one place does not hide what readers filter by.
#[test]
fn columns_of_a_malformed_body() {
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

/// An identifier that is far too long is no column, whatever the body is.
#[test]
fn columns_have_bounds() {
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

/// Of a body that is no JSON the columns before the fault are read.
#[test]
fn columns_before_a_fault() {
    let read = |body: &[u8]| {
        let parsed = parse(body);
        assert_eq!(kind(&parsed), "malformed", "{parsed:?}");
        let columns = columns(&parsed);
        ["type_webhook", "id_message", "chat_id", "id_instance"].map(|key| columns[key].clone())
    };
    let whole = r#"{"typeWebhook":"incomingCall","idMessage":"A,{1","senderData":{"chatId":"7@c.us"},"instanceData":{"idInstance":"#;
    let all = |instance| {
        [
            json!("incomingCall"),
            json!("A,{1"),
            json!("7@c.us"),
            instance,
        ]
    };
    let none = json!(null);
    // From GREEN-API's own example for curl.
    assert_eq!(
        read(format!("{whole}000001}}}}").as_bytes()),
        all(none.clone())
    );
    assert_eq!(read(format!("{whole}7, bread").as_bytes()), all(json!(7)));
    assert_eq!(read(format!("{whole}7}}, ").as_bytes()), all(json!(7)));
    assert_eq!(read(format!("{whole}7}}}}}}").as_bytes()), all(json!(7)));
    assert_eq!(read(whole.as_bytes()), all(none.clone()));
    let mut broken = format!("{whole}7,\n\"wid\":\"").into_bytes();
    broken.extend(b"\xFF\"}}");
    assert_eq!(read(&broken), all(json!(7)));
    let nothing = [none.clone(), none.clone(), none.clone(), none];
    for body in ["", "[", "bread", "{", "{\"typeWebhook\":\"incoming", "[[["] {
        assert_eq!(read(body.as_bytes()), nothing, "{body}");
    }
}
