//! Bodies that are not a valid notification, and the reason reported for each.

mod columns;
mod required;
mod syntax;

use serde_json::{Value, json};

use super::{line, reason};

const INCOMING: &str = "incomingMessageReceived";

fn text_message() -> Value {
    let data = json!({
        "typeMessage": "textMessage",
        "textMessageData": { "textMessage": "Добрый вечер" },
    });
    line::whatsapp().message(INCOMING, data)
}

#[track_caller]
fn check(body: &Value, expected: &str) {
    assert_eq!(reason(body.to_string().as_bytes()), expected, "{body}");
}
