//! Fields that stand there twice or hold something else than is described.

use serde_json::{Value, json};

use super::{INCOMING, check, text_message};
use crate::notification::{kind, line, parse, reason, with};

#[test]
fn keys_found_twice() {
    let twice = |once: &str, twice: &str| {
        let body = text_message().to_string();
        assert!(body.contains(once), "{body}");
        reason(body.replace(once, twice).as_bytes())
    };
    for (once, both, expected) in [
        (
            r#""typeWebhook":"#,
            r#""typeWebhook":"a","typeWebhook":"#,
            "typeWebhook: expected once, found twice",
        ),
        (
            r#""timestamp":"#,
            r#""timestamp":1,"timestamp":"#,
            "timestamp: expected once, found twice",
        ),
        (
            r#""idInstance":"#,
            r#""idInstance":1,"idInstance":"#,
            "instanceData.idInstance: expected once, found twice",
        ),
        (
            r#""chatId":"#,
            r#""chatId":"1","chatId":"#,
            "senderData.chatId: expected once, found twice",
        ),
        (
            r#""typeMessage":"#,
            r#""typeMessage":"a","typeMessage":"#,
            "messageData.typeMessage: expected once, found twice",
        ),
        (
            r#""textMessage":"#,
            r#""textMessage":"a","textMessage":"#,
            "messageData.textMessageData.textMessage: expected once, found twice",
        ),
        (
            r#""textMessageData":"#,
            r#""textMessageData":{},"textMessageData":"#,
            "messageData.textMessageData: expected once, found twice",
        ),
    ] {
        assert_eq!(twice(once, both), expected);
    }
    // Two spellings of one key are one key.
    let both = json!({ "typeMessage": "listMessage", "listMessage": {}, "ListMessage": {} });
    check(
        &line::waba().message(INCOMING, both),
        "messageData.listMessage: expected once, found twice",
    );
    // What nobody knows may stand there as often as it likes.
    let unknown = text_message()
        .to_string()
        .replace('{', r#"{"новое":1,"новое":2,"#);
    assert_eq!(kind(&parse(unknown.as_bytes())), "known");
}

#[test]
fn a_field_of_a_wrong_type() {
    let body = text_message();
    for (pointer, value, expected) in [
        (
            "/timestamp",
            json!("вчера"),
            "timestamp: expected a whole number of 64 bits or a string of digits, found a string",
        ),
        (
            "/idMessage",
            json!({}),
            "idMessage: expected a string or a whole number, found an object",
        ),
        (
            "/idMessage",
            json!([]),
            "idMessage: expected a string or a whole number, found an array",
        ),
        (
            "/idMessage",
            json!(1.5),
            "idMessage: expected a string or a whole number, found a fraction",
        ),
        (
            "/senderData",
            json!("79000000041@c.us"),
            "senderData: expected an object, found a string",
        ),
        (
            "/senderData/chatId",
            json!(true),
            "senderData.chatId: expected a string or a whole number, found a boolean",
        ),
        (
            "/senderData/chatName",
            json!(7),
            "senderData.chatName: expected a string, found a whole number",
        ),
        (
            "/messageData",
            json!(7),
            "messageData: expected an object, found a whole number",
        ),
        (
            "/messageData",
            json!("a"),
            "messageData: expected an object, found a string",
        ),
        (
            "/messageData/typeMessage",
            json!(7),
            "messageData.typeMessage: expected a string, found a whole number",
        ),
        (
            "/messageData/typeMessage",
            Value::Null,
            "messageData.typeMessage: expected a string, found null",
        ),
        (
            "/messageData/isForwarded",
            json!("true"),
            "messageData.isForwarded: expected a boolean, found a string",
        ),
        (
            "/messageData/textMessageData/textMessage",
            json!(["a"]),
            "messageData.textMessageData.textMessage: expected a string, found an array",
        ),
        (
            "/messageData/textMessageData/isTemplateMessage",
            json!(1),
            "messageData.textMessageData.isTemplateMessage: expected a boolean, found a whole number",
        ),
        (
            "/messageData/quotedMessage",
            json!({ "location": { "latitude": "север" } }),
            "messageData.quotedMessage.location.latitude: expected a number or a string that holds one, found a string",
        ),
        (
            "/messageData/quotedMessage",
            json!({ "pollMessageData": { "options": [{}, { "optionName": 5 }] } }),
            "messageData.quotedMessage.pollMessageData.options[1].optionName: expected a string, found a whole number",
        ),
    ] {
        check(&with(&body, pointer, value), expected);
    }
}
