//! Required fields that are missing or of the wrong type.

use serde_json::{Value, json};

use super::{INCOMING, check, text_message};
use crate::notification::{kind, line, messages, parse, with, without};

/// A body of every other notification type, with all required fields.
fn other_notifications() -> [Value; 9] {
    [
        (
            "outgoingMessageStatus",
            json!({ "chatId": "1", "idMessage": "2", "status": "sent" }),
        ),
        (
            "stateInstanceChanged",
            json!({ "stateInstance": "authorized" }),
        ),
        (
            "statusInstanceChanged",
            json!({ "statusInstance": "online" }),
        ),
        ("deviceInfo", json!({ "deviceData": { "battery": 50 } })),
        ("deviceInfo", json!({ "avatarInfo": { "chatId": "1" } })),
        ("incomingCall", json!({ "from": "1", "status": "offer" })),
        ("outgoingCall", json!({ "from": "1", "status": "invalid" })),
        (
            "incomingBlock",
            json!({ "chatId": "1", "chatState": "blocked" }),
        ),
        ("quotaExceeded", json!({ "quotaData": { "used": 1 } })),
    ]
    .map(|(type_webhook, fields)| line::whatsapp().notification(type_webhook, fields))
}

#[test]
fn missing_or_invalid_type_webhook_is_malformed() {
    let expected = "typeWebhook: expected a string of 1 to 128 bytes";
    let body = text_message();
    check(&json!({}), expected);
    check(&without(&body, "/typeWebhook"), expected);
    for value in [
        Value::Null,
        json!(true),
        json!(7),
        json!(""),
        json!([INCOMING]),
        json!({ INCOMING: {} }),
        json!("a".repeat(129)),
        json!("я".repeat(65)),
    ] {
        check(&with(&body, "/typeWebhook", value), expected);
    }
    for value in ["a".repeat(128), "я".repeat(64)] {
        let body = with(&body, "/typeWebhook", json!(value)).to_string();
        assert_eq!(kind(&parse(body.as_bytes())), "unknown");
    }
}

#[test]
fn missing_or_invalid_instance_is_malformed() {
    for body in other_notifications().into_iter().chain([text_message()]) {
        let instance = |value| with(&body, "/instanceData", value);
        let id = |value| with(&body, "/instanceData/idInstance", value);
        check(
            &without(&body, "/instanceData"),
            "instanceData: required, but missing",
        );
        check(
            &instance(Value::Null),
            "instanceData: expected an object, found null",
        );
        check(
            &instance(json!(7)),
            "instanceData: expected an object, found a whole number",
        );
        check(
            &instance(json!("7")),
            "instanceData: expected an object, found a string",
        );
        check(
            &without(&body, "/instanceData/idInstance"),
            "instanceData.idInstance: required, but missing",
        );
        for (value, found) in [
            (Value::Null, "null"),
            (json!(false), "a boolean"),
            (json!(7.5), "a fraction"),
            (json!("семь"), "a string"),
            (json!(""), "a string"),
            (json!("9223372036854775808"), "a string"),
            (json!(9_223_372_036_854_775_808_u64), "a whole number"),
            (json!([7]), "an array"),
            (json!({ "n": 7 }), "an object"),
        ] {
            let expected = "expected a whole number of 64 bits or a string of digits";
            check(
                &id(value),
                &format!("instanceData.idInstance: {expected}, found {found}"),
            );
        }
    }
}

#[test]
fn missing_or_invalid_message_data_is_malformed() {
    let body = text_message();
    let missing = "messageData: required, but missing";
    check(&without(&body, "/messageData"), missing);
    check(&with(&body, "/messageData", Value::Null), missing);
    // Only MAX may omit `messageData`.
    for line in [line::telegram(), line::waba()] {
        for type_webhook in messages::WEBHOOKS {
            check(
                &without(&line.message(type_webhook, json!({})), "/messageData"),
                missing,
            );
        }
    }
    for (value, found) in [
        (json!(7), "a whole number"),
        (json!("a"), "a string"),
        (json!(["a"]), "an array"),
    ] {
        check(
            &with(&body, "/messageData", value),
            &format!("messageData: expected an object, found {found}"),
        );
    }
}

#[test]
fn missing_or_invalid_device_info_is_malformed() {
    let neither = "expected deviceData or avatarInfo, found neither";
    let device = |fields| line::whatsapp().notification("deviceInfo", fields);
    check(&device(json!({})), neither);
    check(
        &device(json!({ "deviceData": null, "avatarInfo": null })),
        neither,
    );
    check(
        &device(json!({ "deviceData": 7 })),
        "deviceData: expected an object, found a whole number",
    );
    check(
        &device(json!({ "avatarInfo": "нет" })),
        "avatarInfo: expected an object, found a string",
    );
}

#[test]
fn missing_or_null_quota_data_is_malformed() {
    let quota = |fields| line::max().notification("quotaExceeded", fields);
    check(&quota(json!({})), "quotaData: required, but missing");
    check(
        &quota(json!({ "quotaData": null })),
        "quotaData: expected an object, found null",
    );
}
