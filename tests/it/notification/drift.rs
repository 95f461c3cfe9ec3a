//! Drift that was seen in the wild: a field with another spelling, type or location is read as the
//! same field.

use green_inbox::notification::{MessageContent as Content, Notification};
use serde_json::{Value, json};

use super::{columns, content, kind, known, line, merged, message, parse, with, without};

const INCOMING: &str = "incomingMessageReceived";

fn text_message() -> Value {
    let data = json!({
        "typeMessage": "textMessage",
        "textMessageData": { "textMessage": "Добрый вечер" },
    });
    line::max().message(INCOMING, data)
}

/// Asserts that a body is known and that only the `changed` columns differ from those of
/// [`text_message`].
#[track_caller]
fn check(body: &Value, changed: Value) {
    let text = body.to_string();
    let parsed = parse(text.as_bytes());
    assert_eq!(kind(&parsed), "known", "{body}: {:?}", parsed.outcome);
    let expected = merged(
        line::max().message_columns(INCOMING, Some("textMessage")),
        changed,
    );
    assert_eq!(columns(&parsed), expected, "{body}");
}

#[test]
fn other_spelling_of_a_type_or_key_is_read_as_the_same() {
    let payload = |key: &str| match key {
        "locationMessageData" => json!({ "nameLocation": "тут" }),
        "templateButtonReplyMessage" | "templateButtonsReplyMessage" => {
            json!({ "selectedDisplayText": "тут" })
        }
        "listResponseMessage" | "ListResponseMessage" => json!({ "title": "тут" }),
        "buttonsResponseMessage" | "ButtonsResponseMessage" => {
            json!({ "selectedButtonText": "тут" })
        }
        _ => json!({ "footer": "тут" }),
    };
    let text = |content: &Content<'_>| {
        let text = match content {
            Content::LocationMessage(found) => &found.location_message_data.name_location,
            Content::ListMessage(found) => &found.list_message.footer,
            Content::ListResponseMessage(found) => &found.list_response_message.title,
            Content::ButtonsMessage(found) => &found.buttons_message.footer,
            Content::ButtonsResponseMessage(found) => {
                &found.buttons_response_message.selected_button_text
            }
            Content::TemplateMessage(found) => &found.template_message.footer,
            Content::TemplateButtonsReplyMessage(found) => {
                &found.template_button_reply_message.selected_display_text
            }
            other => panic!("{other:?}"),
        };
        text.as_deref().map(str::to_owned)
    };
    for (types, keys) in [
        (
            ["locationMessage", "LocationMessage"],
            ["locationMessageData"; 2],
        ),
        (
            ["listMessage", "ListMessage"],
            ["listMessage", "ListMessage"],
        ),
        (
            ["listResponseMessage", "ListResponseMessage"],
            ["listResponseMessage", "ListResponseMessage"],
        ),
        (
            ["buttonsMessage", "ButtonsMessage"],
            ["buttonsMessage", "ButtonsMessage"],
        ),
        (
            ["buttonsResponseMessage", "ButtonsResponseMessage"],
            ["buttonsResponseMessage", "ButtonsResponseMessage"],
        ),
        (
            ["templateMessage", "TemplateMessage"],
            ["templateMessage", "TemplateMessage"],
        ),
        (
            ["templateButtonsReplyMessage", "templateButtonReplyMessage"],
            ["templateButtonReplyMessage", "templateButtonsReplyMessage"],
        ),
    ] {
        for line in line::all() {
            for type_message in types {
                for key in keys {
                    let data = json!({ "typeMessage": type_message, key: payload(key) });
                    let body = line.message(INCOMING, data).to_string();
                    let parsed = parse(body.as_bytes());
                    assert_eq!(text(content(&parsed)).as_deref(), Some("тут"), "{body}");
                    // The column keeps the spelling that was received.
                    let expected = line.message_columns(INCOMING, Some(type_message));
                    assert_eq!(columns(&parsed), expected);
                }
            }
        }
    }
}

#[test]
fn number_is_read_from_a_string_of_digits() {
    let body = text_message();
    check(
        &with(&body, "/instanceData/idInstance", json!("7103")),
        json!({ "id_instance": 7103 }),
    );
    check(
        &with(&body, "/timestamp", json!("1790000002")),
        json!({ "timestamp": 1_790_000_002 }),
    );

    let body = with(&body, "/instanceData/idInstance", json!("7103000888"));
    let body = with(&body, "/timestamp", json!("1790000003")).to_string();
    let parsed = parse(body.as_bytes());
    let message = message(&parsed);
    assert_eq!(message.instance_data.id_instance.0, 7_103_000_888);
    assert_eq!(
        message.timestamp.map(|timestamp| timestamp.0),
        Some(1_790_000_003)
    );
}

#[test]
fn index_is_read_from_a_string_of_digits() {
    for index in [json!(2), json!("2")] {
        let data = json!({
            "typeMessage": "templateButtonsReplyMessage",
            "templateButtonReplyMessage": { "selectedIndex": index },
        });
        let body = line::waba().message(INCOMING, data).to_string();
        let parsed = parse(body.as_bytes());
        let Content::TemplateButtonsReplyMessage(found) = content(&parsed) else {
            panic!("{parsed:?}")
        };
        let index = found.template_button_reply_message.selected_index;
        assert_eq!(index.map(|index| index.0), Some(2));
    }
}

#[test]
fn quota_is_read_from_a_string_of_digits() {
    for (used, total) in [
        (json!(7), json!(9)),
        (json!("7"), json!(9)),
        (json!(7), json!("9")),
        (json!("7"), json!("9")),
    ] {
        let fields = json!({ "quotaData": { "used": used, "total": total } });
        let body = line::max()
            .notification("quotaExceeded", fields)
            .to_string();
        let parsed = parse(body.as_bytes());
        let Notification::QuotaExceeded(found) = known(&parsed) else {
            panic!("{parsed:?}")
        };
        assert_eq!(found.quota_data.used.map(|used| used.0), Some(7));
        assert_eq!(found.quota_data.total.map(|total| total.0), Some(9));
    }
}

#[test]
fn sender_phone_number_is_read_from_a_number_or_a_string() {
    for (written, read) in [
        (json!(79_000_000_031_i64), Some("79000000031")),
        (json!("79000000031"), Some("79000000031")),
        (json!("+79000000031"), Some("+79000000031")),
        (json!(0), Some("0")),
        (json!(""), Some("")),
        (Value::Null, None),
    ] {
        let body = with(&text_message(), "/senderData/senderPhoneNumber", written);
        check(&body, json!({}));
        let body = body.to_string();
        let parsed = parse(body.as_bytes());
        let sender = message(&parsed).sender_data.as_ref().unwrap();
        assert_eq!(sender.sender_phone_number.as_deref(), read);
    }
}

#[test]
fn coordinate_is_read_from_a_number_or_a_string() {
    for (written, read) in [
        (json!(55.75), 55.75_f64),
        (json!("55.75"), 55.75),
        (json!(" 55.75 "), 55.75),
        (json!(-12), -12.0),
        (json!("-12"), -12.0),
        (json!(0), 0.0),
        (json!(55.751_244_123_456_789), 55.751_244_123_456_789),
        (json!("55.751244123456789"), 55.751_244_123_456_789),
    ] {
        let place = json!({ "latitude": written.clone(), "longitude": written });
        let data = json!({
            "typeMessage": "LocationMessage",
            "locationMessageData": place.clone(),
            "quotedMessage": { "location": place },
        });
        let body = line::telegram().message(INCOMING, data).to_string();
        let parsed = parse(body.as_bytes());
        let Content::LocationMessage(found) = content(&parsed) else {
            panic!("{parsed:?}")
        };
        let data = message(&parsed).message_data.as_ref().unwrap();
        let quoted = data
            .quoted_message
            .as_ref()
            .unwrap()
            .location
            .as_ref()
            .unwrap();
        for place in [&found.location_message_data, quoted] {
            let (latitude, longitude) = (place.latitude.unwrap().0, place.longitude.unwrap().0);
            assert_eq!(
                (latitude.to_bits(), longitude.to_bits()),
                (read.to_bits(), read.to_bits())
            );
        }
    }
}

#[test]
fn chat_is_read_from_a_number_or_a_string() {
    for (written, read) in [
        (json!(-10_000_000_000_000_i64), "-10000000000000"),
        (json!("-10000000000000"), "-10000000000000"),
        (json!(10_000_032), "10000032"),
        (json!("79000000032@c.us"), "79000000032@c.us"),
        (json!("120363000000000032@g.us"), "120363000000000032@g.us"),
        (json!("790000000000032@lid"), "790000000000032@lid"),
    ] {
        let body = with(&text_message(), "/senderData/chatId", written.clone());
        let body = with(&body, "/senderData/sender", written.clone());
        check(&body, json!({ "chat_id": read, "sender": read }));

        let fields = json!({ "chatId": written, "status": "sent" });
        let body = line::max()
            .notification("outgoingMessageStatus", fields)
            .to_string();
        let parsed = parse(body.as_bytes());
        assert_eq!(parsed.columns.chat_id.as_deref(), Some(read));
        let Notification::OutgoingMessageStatus(found) = known(&parsed) else {
            panic!("{parsed:?}")
        };
        assert_eq!(found.chat_id.as_deref(), Some(read));
    }
}

/// Identifiers of MAX and Telegram have up to 21 digits, more than 64 bits hold.
#[test]
fn identifier_longer_than_64_bits_keeps_every_digit() {
    let digits = "115734986523998402117";
    let body = with(&text_message(), "/idMessage", json!(digits));
    check(&body, json!({ "id_message": digits }));

    // As a bare number; the text is changed because a JSON value would round it.
    let bare = body.to_string().replace(&format!("\"{digits}\""), digits);
    assert!(bare.contains(&format!(":{digits}")), "{bare}");
    let parsed = parse(bare.as_bytes());
    assert_eq!(parsed.columns.id_message.as_deref(), Some(digits));
    assert_eq!(message(&parsed).id_message.as_deref(), Some(digits));
}

#[test]
fn empty_or_missing_wid_changes_no_column() {
    let body = text_message();
    check(&with(&body, "/instanceData/wid", json!("")), json!({}));
    check(&with(&body, "/instanceData/wid", Value::Null), json!({}));
    check(&without(&body, "/instanceData/wid"), json!({}));
}

#[test]
fn missing_or_empty_sender_is_null() {
    let body = text_message();
    check(
        &without(&body, "/senderData/sender"),
        json!({ "sender": null }),
    );
    check(
        &with(&body, "/senderData/sender", Value::Null),
        json!({ "sender": null }),
    );
    check(
        &with(&body, "/senderData/sender", json!("")),
        json!({ "sender": null }),
    );
    let nobody = json!({ "sender": null, "chat_id": null });
    check(&without(&body, "/senderData"), nobody.clone());
    check(&with(&body, "/senderData", json!({})), nobody);
}

#[test]
fn missing_empty_or_null_name_changes_no_column() {
    for field in ["chatName", "senderName", "senderContactName"] {
        let pointer = format!("/senderData/{field}");
        let body = with(&text_message(), &pointer, json!("Мария"));
        check(&body, json!({}));
        check(&with(&body, &pointer, json!("")), json!({}));
        check(&with(&body, &pointer, Value::Null), json!({}));
        check(&without(&body, &pointer), json!({}));
    }
}

#[test]
fn caption_and_preview_may_be_missing_empty_or_null() {
    let empty = |field: &str, value: Option<Value>| {
        let data =
            json!({ "typeMessage": "imageMessage", "fileMessageData": {}, "quotedMessage": {} });
        let mut body = line::max().message(INCOMING, data);
        if let Some(value) = value {
            body["messageData"]["fileMessageData"][field] = value.clone();
            body["messageData"]["quotedMessage"][field] = value;
        }
        let body = body.to_string();
        let parsed = parse(body.as_bytes());
        let Content::ImageMessage(found) = content(&parsed) else {
            panic!("{parsed:?}")
        };
        let file = &found.file_message_data;
        let data = message(&parsed).message_data.as_ref().unwrap();
        let quoted = data.quoted_message.as_ref().unwrap();
        let texts = match field {
            "caption" => [&file.caption, &quoted.caption],
            _ => [&file.jpeg_thumbnail, &quoted.jpeg_thumbnail],
        };
        texts.map(|text| text.as_deref().map(str::to_owned))
    };
    for field in ["caption", "jpegThumbnail"] {
        assert_eq!(empty(field, None), [None, None]);
        assert_eq!(empty(field, Some(Value::Null)), [None, None]);
        assert_eq!(
            empty(field, Some(json!(""))),
            [Some(String::new()), Some(String::new())]
        );
    }
}

/// On MAX only, an edit that replaces the media arrives without `messageData`.
#[test]
fn max_message_without_data_is_known() {
    for absent in [
        without(&text_message(), "/messageData"),
        with(&text_message(), "/messageData", Value::Null),
    ] {
        check(&absent, json!({ "type_message": null }));
        let body = absent.to_string();
        assert!(message(&parse(body.as_bytes())).message_data.is_none());
    }
}

#[test]
fn contacts_are_read_nested_or_not() {
    let contacts = json!([{ "displayName": "Анна" }, { "displayName": "Пётр", "vcard": null }]);
    for data in [
        json!({ "contacts": contacts }),
        json!({ "messageData": { "contacts": contacts, "isForwarded": false } }),
    ] {
        for line in line::all() {
            let data = merged(
                json!({ "typeMessage": "contactsArrayMessage" }),
                data.clone(),
            );
            let body = line.message(INCOMING, data).to_string();
            let parsed = parse(body.as_bytes());
            let expected = line.message_columns(INCOMING, Some("contactsArrayMessage"));
            assert_eq!(columns(&parsed), expected);
            let Content::ContactsArrayMessage(found) = content(&parsed) else {
                panic!("{parsed:?}")
            };
            let names = found
                .contacts
                .iter()
                .map(|contact| contact.display_name.as_deref());
            assert_eq!(names.collect::<Vec<_>>(), [Some("Анна"), Some("Пётр")]);
        }
    }
}

#[test]
fn multiple_answers_is_read_inside_or_beside_the_poll() {
    for (data, inside, beside) in [
        (
            json!({ "pollMessageData": { "multipleAnswers": true } }),
            Some(true),
            None,
        ),
        (
            json!({ "pollMessageData": {}, "multipleAnswers": true }),
            None,
            Some(true),
        ),
        (json!({ "pollMessageData": {} }), None, None),
    ] {
        let data = merged(json!({ "typeMessage": "pollUpdateMessage" }), data);
        let body = line::whatsapp().message(INCOMING, data).to_string();
        let parsed = parse(body.as_bytes());
        let Content::PollUpdateMessage(found) = content(&parsed) else {
            panic!("{parsed:?}")
        };
        assert_eq!(found.poll_message_data.multiple_answers, inside);
        assert_eq!(found.multiple_answers, beside);
    }
}

/// GREEN-API's pages disagree on the key of the pressed button.
#[test]
fn interactive_buttons_reply_is_read_under_each_of_its_keys() {
    for key in [
        "interactiveButtonsReply",
        "interactiveButtons",
        "templateButtonReplyMessage",
    ] {
        let data = json!({
            "typeMessage": "interactiveButtonsReply",
            key: {
                "stanzaId": "D1",
                "selectedIndex": "1",
                "selectedId": "y",
                "selectedDisplayText": "Приду",
            },
        });
        let body = line::whatsapp().message(INCOMING, data).to_string();
        let parsed = parse(body.as_bytes());
        let Content::InteractiveButtonsReply(found) = content(&parsed) else {
            panic!("{parsed:?}")
        };
        let reply = &found.reply;
        assert_eq!(reply.stanza_id.as_deref(), Some("D1"), "{key}");
        assert_eq!(reply.selected_index.map(|index| index.0), Some(1), "{key}");
        assert_eq!(reply.selected_id.as_deref(), Some("y"), "{key}");
        assert_eq!(
            reply.selected_display_text.as_deref(),
            Some("Приду"),
            "{key}"
        );
    }
}

/// Two of the examples carry the quote beside `messageData`, and two carry the forwarding fields
/// inside it but outside its payload.
#[test]
fn quote_and_forwarding_outside_the_payload_are_read() {
    let body = with(
        &text_message(),
        "/quotedMessage",
        json!({ "textMessage": "Кто там?" }),
    );
    let body = with(&body, "/messageData/isForwarded", json!(true));
    let body = with(&body, "/messageData/forwardingScore", json!("4"));
    check(&body, json!({}));
    let body = body.to_string();
    let parsed = parse(body.as_bytes());
    let message = message(&parsed);
    let quoted = message.quoted_message.as_ref().unwrap();
    assert_eq!(quoted.text_message.as_deref(), Some("Кто там?"));
    let data = message.message_data.as_ref().unwrap();
    assert_eq!(data.is_forwarded, Some(true));
    assert_eq!(data.forwarding_score.map(|score| score.0), Some(4));
}

/// Half of an emoji is valid JSON but not valid Unicode; it becomes U+FFFD.
#[test]
fn half_of_an_emoji_becomes_u_fffd() {
    let body = text_message()
        .to_string()
        .replace("Добрый вечер", r"Добрый \ud83d\u0020веч\n");
    let parsed = parse(body.as_bytes());
    let Content::TextMessage(found) = content(&parsed) else {
        panic!("{parsed:?}")
    };
    let text = found.text_message_data.text_message.as_deref().unwrap();
    let (start, end) = (
        text.starts_with("Добрый \u{fffd}"),
        text.ends_with(" веч\n"),
    );
    assert!(start && end, "{text:?}");
}
