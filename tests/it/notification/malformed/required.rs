//! What has to be there, and is not or is something else.

use serde_json::{Value, json};

use super::{INCOMING, check, text_message};
use crate::notification::{kind, line, messages, parse, with, without};

/// A body of each other type of notification, with all that is required.
fn others() -> [Value; 9] {
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
fn no_type_of_notification() {
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
fn no_account() {
    for body in others().into_iter().chain([text_message()]) {
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
fn no_message() {
    let body = text_message();
    let missing = "messageData: required, but missing";
    check(&without(&body, "/messageData"), missing);
    check(&with(&body, "/messageData", Value::Null), missing);
    // Only MAX leaves it out.
    for line in [line::telegram(), line::waba()] {
        for type_webhook in messages::WEBHOOKS {
            check(
                &without(&line.message(type_webhook, json!({})), "/messageData"),
                missing,
            );
        }
    }
    let missing = "messageData.typeMessage: required, but missing";
    check(&without(&body, "/messageData/typeMessage"), missing);
    check(&line::max().message(INCOMING, json!({})), missing);
}

#[test]
fn no_payload() {
    for row in messages::rows() {
        let data = row.message_data();
        let key = row.key;
        let payload = |value| {
            let data = with(&data, &format!("/{key}"), value);
            line::whatsapp().message(INCOMING, data)
        };
        let missing = without(&data, &format!("/{key}"));
        let missing = line::whatsapp().message(INCOMING, missing);
        // The two that look in several places name the first of them.
        let named = if key == "messageData" {
            "contacts"
        } else {
            key
        };
        check(
            &missing,
            &format!("messageData.{named}: required, but missing"),
        );
        check(
            &payload(json!(7)),
            &format!("messageData.{key}: expected an object, found a whole number"),
        );
        check(
            &payload(json!("a")),
            &format!("messageData.{key}: expected an object, found a string"),
        );
        let null = match key {
            "messageData" | "interactiveButtonsReply" => {
                format!("messageData.{named}: required, but missing")
            }
            _ => format!("messageData.{key}: expected an object, found null"),
        };
        check(&payload(Value::Null), &null);
    }
    let contacts = json!({ "typeMessage": "contactsArrayMessage", "messageData": {} });
    check(
        &line::whatsapp().message(INCOMING, contacts),
        "messageData.messageData.contacts: required, but missing",
    );
}

#[test]
fn no_value_of_an_enumeration() {
    let fields = ["status", "stateInstance", "statusInstance", "chatState"];
    let mut checked = 0;
    for body in others() {
        for field in fields.iter().filter(|field| body.get(field).is_some()) {
            let pointer = format!("/{field}");
            check(
                &without(&body, &pointer),
                &format!("{field}: required, but missing"),
            );
            for value in [Value::Null, json!(7), json!(true), json!([]), json!({})] {
                check(
                    &with(&body, &pointer, value),
                    &format!("{field}: expected a string"),
                );
            }
            checked += 1;
        }
    }
    assert_eq!(checked, 6);
    let call = json!({ "status": "offer", "participants": [{}, { "status": 7 }] });
    check(
        &line::waba().notification("incomingCall", call),
        "participants[1].status: expected a string",
    );
}

#[test]
fn no_device() {
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
        &device(json!({ "deviceData": { "platform": 7 } })),
        "deviceData.platform: expected a string, found a whole number",
    );
    check(
        &device(json!({ "avatarInfo": "нет" })),
        "avatarInfo: expected an object, found a string",
    );
    check(
        &device(json!({ "avatarInfo": { "chatId": false } })),
        "avatarInfo.chatId: expected a string or a whole number, found a boolean",
    );
}

#[test]
fn no_quota() {
    let quota = |fields| line::max().notification("quotaExceeded", fields);
    check(&quota(json!({})), "quotaData: required, but missing");
    check(
        &quota(json!({ "quotaData": null })),
        "quotaData: expected an object, found null",
    );
    check(
        &quota(json!({ "quotaData": { "used": "много" } })),
        "quotaData.used: expected a whole number of 64 bits or a string of digits, found a string",
    );
}
