//! Mistyped fields: they are left out and listed, and the notification stays known.

use green_inbox::notification::{MessageContent as Content, Notification};
use serde_json::{Value, json};

use super::{
    columns, content, kind, known, left_out, line, merged, messages, parse, with, without,
};

const INCOMING: &str = "incomingMessageReceived";

fn text_message() -> Value {
    let data = json!({
        "typeMessage": "textMessage",
        "textMessageData": { "textMessage": "Добрый вечер" },
    });
    line::whatsapp().message(INCOMING, data)
}

/// Asserts that a body is known and that exactly these fields are left out.
#[track_caller]
fn check(body: &Value, expected: &[&str]) {
    let text = body.to_string();
    let parsed = parse(text.as_bytes());
    assert_eq!(kind(&parsed), "known", "{body}: {:?}", parsed.outcome);
    assert_eq!(left_out(&parsed), expected, "{body}");
}

#[test]
fn last_value_of_a_duplicate_key_wins_and_the_key_is_listed() {
    let all = line::whatsapp().message_columns(INCOMING, Some("textMessage"));
    let twice = |once: &str, twice: &str| {
        let body = text_message().to_string();
        assert!(body.contains(once), "{body}");
        let body = body.replace(once, twice);
        let parsed = parse(body.as_bytes());
        assert_eq!(kind(&parsed), "known", "{body}: {:?}", parsed.outcome);
        assert_eq!(columns(&parsed), all, "{body}");
        let Content::TextMessage(found) = content(&parsed) else {
            panic!("{parsed:?}")
        };
        let text = found.text_message_data.text_message.as_deref();
        assert_eq!(text, Some("Добрый вечер"), "{body}");
        left_out(&parsed)
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
        assert_eq!(twice(once, both), [expected]);
    }
    // Two spellings of one key count as the same key.
    let both = json!({ "typeMessage": "listMessage", "listMessage": {}, "ListMessage": {} });
    check(
        &line::waba().message(INCOMING, both),
        &["messageData.listMessage: expected once, found twice"],
    );
    // An unknown key may occur any number of times.
    let unknown = text_message()
        .to_string()
        .replace('{', r#"{"новое":1,"новое":2,"#);
    assert_eq!(kind(&parse(unknown.as_bytes())), "known");
}

#[test]
fn field_of_a_wrong_type_is_left_out_and_listed() {
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
        check(&with(&body, pointer, value), &[expected]);
    }
}

#[test]
fn several_mistyped_fields_are_all_listed_and_the_rest_is_read() {
    let body = with(&text_message(), "/senderData/chatName", json!([]));
    let body = with(&body, "/timestamp", json!(""));
    let body = with(&body, "/messageData/quotedMessage", json!([1]));
    let body = with(&body, "/messageData/forwardingScore", json!({}));
    let text = body.to_string();
    let parsed = parse(text.as_bytes());
    assert_eq!(kind(&parsed), "known");
    let integer = "expected a whole number of 64 bits or a string of digits";
    let mut found = left_out(&parsed);
    found.sort();
    assert_eq!(
        found,
        [
            &format!("messageData.forwardingScore: {integer}, found an object"),
            "messageData.quotedMessage: expected an object, found an array",
            "senderData.chatName: expected a string, found an array",
            &format!("timestamp: {integer}, found a string"),
        ]
    );
    let Content::TextMessage(found) = content(&parsed) else {
        panic!("{parsed:?}")
    };
    let text = found.text_message_data.text_message.as_deref();
    assert_eq!(text, Some("Добрый вечер"));
}

#[test]
fn mistyped_list_element_leaves_the_other_elements() {
    let options = json!([7, { "optionName": "Да" }, { "optionName": 5 }, "Нет"]);
    let data = json!({ "typeMessage": "pollMessage", "pollMessageData": { "options": options } });
    let body = line::whatsapp().message(INCOMING, data).to_string();
    let parsed = parse(body.as_bytes());
    let at = "messageData.pollMessageData.options";
    assert_eq!(
        left_out(&parsed),
        [
            format!("{at}[0]: expected an object, found a whole number"),
            format!("{at}[2].optionName: expected a string, found a whole number"),
            format!("{at}[3]: expected an object, found a string"),
        ]
    );
    let Content::PollMessage(found) = content(&parsed) else {
        panic!("{parsed:?}")
    };
    let options = found.poll_message_data.options.as_deref().unwrap();
    let names: Vec<_> = options
        .iter()
        .map(|option| option.option_name.as_deref())
        .collect();
    assert_eq!(names, [Some("Да"), None]);
}

/// A list of a thousand mistyped elements costs a bounded number of passes.
#[test]
fn mistyped_elements_beyond_the_bound_leave_out_the_whole_field() {
    let options = vec![7; 1000];
    let data = json!({
        "typeMessage": "textMessage",
        "textMessageData": { "textMessage": "Добрый вечер" },
        "quotedMessage": { "pollMessageData": { "options": options } },
    });
    let body = line::whatsapp().message(INCOMING, data).to_string();
    let parsed = parse(body.as_bytes());
    assert_eq!(kind(&parsed), "known");
    let left_out = left_out(&parsed);
    assert_eq!(left_out.len(), 1, "{left_out:?}");
    assert!(
        left_out[0].starts_with("messageData.quotedMessage: "),
        "{left_out:?}"
    );
}

#[test]
fn missing_or_mistyped_payload_reads_as_empty() {
    for row in messages::rows() {
        let data = row.message_data();
        let key = row.key;
        // The two types that read several keys name the first of them.
        let named = if key == "messageData" {
            "contacts"
        } else {
            key
        };
        let body = |data| line::whatsapp().message(INCOMING, data);
        check(
            &body(without(&data, &format!("/{key}"))),
            &[&format!(
                "messageData.{named}: expected an object, found nothing"
            )],
        );
        for (value, found) in [
            (json!(7), "a whole number"),
            (json!("a"), "a string"),
            (json!([]), "an array"),
        ] {
            let body = body(with(&data, &format!("/{key}"), value));
            let text = body.to_string();
            let parsed = parse(text.as_bytes());
            assert_eq!(kind(&parsed), "known", "{body}");
            let expected = format!("messageData.{key}: expected an object, found {found}");
            assert_eq!(left_out(&parsed).first(), Some(&expected), "{body}");
        }
    }
}

#[test]
fn missing_or_mistyped_enum_value_reads_as_null() {
    for (type_webhook, field) in [
        ("outgoingMessageStatus", "status"),
        ("stateInstanceChanged", "stateInstance"),
        ("statusInstanceChanged", "statusInstance"),
        ("incomingCall", "status"),
        ("outgoingCall", "status"),
        ("incomingBlock", "chatState"),
    ] {
        let body = |value| line::max().notification(type_webhook, json!({ field: value }));
        check(&line::max().notification(type_webhook, json!({})), &[]);
        check(&body(Value::Null), &[]);
        check(&body(json!("")), &[]);
        for (value, found) in [
            (json!(7), "a whole number"),
            (json!(true), "a boolean"),
            (json!([]), "an array"),
            (json!({}), "an object"),
        ] {
            check(
                &body(value),
                &[&format!("{field}: expected a string, found {found}")],
            );
        }
    }
    let participants = json!({ "participants": [{}, { "status": 7 }] });
    check(
        &line::waba().notification("incomingCall", participants),
        &["participants[1].status: expected a string, found a whole number"],
    );
}

#[test]
fn message_with_a_missing_or_mistyped_type_is_unknown_and_its_payload_is_read() {
    let body = text_message();
    let at = |value| with(&body, "/messageData/typeMessage", value);
    for (body, expected) in [
        (without(&body, "/messageData/typeMessage"), "nothing"),
        (at(Value::Null), "nothing"),
        (at(json!(7)), "a whole number"),
    ] {
        let text = body.to_string();
        let parsed = parse(text.as_bytes());
        assert_eq!(kind(&parsed), "unknown", "{body}");
        let expected = format!("messageData.typeMessage: expected a string, found {expected}");
        assert_eq!(left_out(&parsed), [expected]);
    }
    for type_message in ["", "holographicMessage"] {
        let text = at(json!(type_message)).to_string();
        let parsed = parse(text.as_bytes());
        let green_inbox::notification::Outcome::Unknown(Notification::IncomingMessageReceived(
            message,
        )) = &parsed.outcome
        else {
            panic!("{parsed:?}")
        };
        let data = message.message_data.as_ref().unwrap();
        let Content::TextMessage(found) = &data.content else {
            panic!("{data:?}")
        };
        let text = found.text_message_data.text_message.as_deref();
        assert_eq!(text, Some("Добрый вечер"));
        assert_eq!(left_out(&parsed), [""; 0]);
    }
}

#[test]
fn device_info_with_one_readable_layout_is_known() {
    let device = |fields| line::whatsapp().notification("deviceInfo", fields);
    check(
        &device(json!({ "deviceData": { "platform": 7 } })),
        &["deviceData.platform: expected a string, found a whole number"],
    );
    check(
        &device(json!({ "deviceData": { "battery": "" } })),
        &[
            "deviceData.battery: expected a whole number of 64 bits or a string of digits, found a string",
        ],
    );
    check(
        &device(json!({ "avatarInfo": { "chatId": false } })),
        &["avatarInfo.chatId: expected a string or a whole number, found a boolean"],
    );
    check(
        &device(json!({ "avatarInfo": {}, "deviceData": [] })),
        &["deviceData: expected an object, found an array"],
    );
}

#[test]
fn quota_with_a_mistyped_number_is_known() {
    let quota = json!({ "quotaData": { "used": "много", "total": 9 } });
    let body = line::max().notification("quotaExceeded", quota);
    check(
        &body,
        &[
            "quotaData.used: expected a whole number of 64 bits or a string of digits, found a string",
        ],
    );
    let text = body.to_string();
    let parsed = parse(text.as_bytes());
    let Notification::QuotaExceeded(found) = known(&parsed) else {
        panic!("{parsed:?}")
    };
    assert_eq!(found.quota_data.total.map(|total| total.0), Some(9));
}

#[test]
fn max_message_with_mistyped_data_is_known() {
    let body = line::max().message(INCOMING, json!([]));
    check(&body, &["messageData: expected an object, found an array"]);
}

#[test]
fn other_forms_of_a_field_are_read_and_are_not_drift() {
    let message = |data: Value, payload: Value| {
        line::whatsapp().message(INCOMING, merged(json!({ "typeMessage": data }), payload))
    };
    let long = json!({ "low": 1_790_000_000, "high": 0, "unsigned": false });
    for body in [
        message(
            json!("groupInviteMessage"),
            json!({ "groupInviteMessageData": { "inviteExpiration": long } }),
        ),
        message(
            json!("pollUpdateMessage"),
            json!({ "pollMessageData": { "votes": [
                { "optionName": "Да", "optionVoters": [{ "wid": "79000000041@c.us" }, "1@c.us"] },
            ] } }),
        ),
        message(
            json!("listResponseMessage"),
            json!({ "listResponseMessage": { "singleSelectReply": { "selectedRowId": "r1" } } }),
        ),
        message(
            json!("contactsArrayMessage"),
            json!({ "contacts": { "displayName": "Анна" } }),
        ),
        message(
            json!("buttonsMessage"),
            json!({ "buttonsMessage": { "buttons": { "buttonId": "1", "buttonText": "Да" } } }),
        ),
        message(
            json!("textMessage"),
            json!({ "statusTextMessageData": { "text": "История", "font": 3 } }),
        ),
        message(
            json!("extendedTextMessage"),
            json!({ "statusExtendedTextMessageData": { "text": "История" } }),
        ),
        message(
            json!("interactiveButtonReply"),
            json!({ "interactiveButtonReply": { "header": "Т", "body": "Придёте?", "footer": "" } }),
        ),
        line::whatsapp().notification(
            "outgoingCall",
            json!({ "participants": [{ "wid": "1", "id": "2" }, { "id": 3 }] }),
        ),
    ] {
        check(&body, &[]);
    }
    let text = message(
        json!("groupInviteMessage"),
        json!({ "groupInviteMessageData": { "inviteExpiration": { "low": -1, "high": 1 } } }),
    );
    let text = text.to_string();
    let parsed = parse(text.as_bytes());
    let Content::GroupInviteMessage(found) = content(&parsed) else {
        panic!("{parsed:?}")
    };
    let expiration = found.group_invite_message_data.invite_expiration;
    assert_eq!(expiration.map(|end| end.0), Some((1 << 32) + 0xFFFF_FFFF));
}
