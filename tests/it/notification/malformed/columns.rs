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
        (without(&body, "/messageData/textMessageData"), json!({})),
        (with(&body, "/senderData/chatName", json!(7)), json!({})),
        (with(&body, "/instanceData/wid", json!(7)), json!({})),
        (
            with(&body, "/messageData", json!([7])),
            json!({ "type_message": null }),
        ),
        (
            without(&body, "/messageData"),
            json!({ "type_message": null }),
        ),
        (
            with(&body, "/timestamp", json!({})),
            json!({ "timestamp": null }),
        ),
        (
            with(&body, "/idMessage", json!(false)),
            json!({ "id_message": null }),
        ),
        (
            with(&body, "/senderData/chatId", json!({})),
            json!({ "chat_id": null }),
        ),
        (
            with(&body, "/senderData", json!(7)),
            json!({ "chat_id": null, "sender": null }),
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
