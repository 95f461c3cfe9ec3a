//! `GET /api/v1/messages/{idInstance}/{chatId}/{idMessage}`: the fields of each kind of message.

use std::fmt::Write;

use hyper::Method;
use serde_json::{Value, json};

use super::{entries, filled, refused, say};
use crate::support::said::{self, CHAT, INSTANCE, NOON};
use crate::support::{TestServer, get, request};

/// The history arrays, which only the endpoint of a single message returns.
const HISTORY: [&str; 5] = ["statuses", "edits", "deletions", "reactions", "votes"];

/// Percent-encodes everything but ASCII letters and digits.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").unwrap();
        }
        encoded
    })
}

/// The path of a message.
pub fn place(instance: i64, chat: &str, id_message: &str) -> String {
    let (chat, id_message) = (encoded(chat), encoded(id_message));
    format!("/api/v1/messages/{instance}/{chat}/{id_message}")
}

/// A message with its history; asserts that the list has the same message without it.
pub async fn whole(server: &TestServer, path: &str) -> Value {
    let answer = get(server.private, path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    let whole = answer.json();
    let mut message = whole.clone();
    for part in HISTORY {
        let history = message.as_object_mut().unwrap().remove(part);
        assert!(history.unwrap().is_array(), "{part}");
    }
    message.as_object_mut().unwrap().remove("poll").unwrap();
    let listed = entries(server, "/api/v1/messages?limit=500").await;
    let same = |other: &&Value| {
        ["idInstance", "chatId", "idMessage"]
            .iter()
            .all(|name| other[name] == message[name])
    };
    let listed: Vec<_> = listed.iter().filter(same).collect();
    assert_eq!(listed, [&message], "once in the list, with the same fields");
    whole
}

/// The message that one body becomes.
async fn shown(body: &Value) -> Value {
    let server = TestServer::start().await;
    say(&server, [body.clone()]).await;
    let id_message = body["idMessage"].as_str().unwrap();
    whole(&server, &place(INSTANCE, CHAT, id_message)).await
}

#[tokio::test]
async fn text_message_has_every_field() {
    assert_eq!(
        shown(&said::text("A1", NOON, "Two loaves, please")).await,
        json!({
            "idInstance": INSTANCE,
            "chatId": CHAT,
            "aliasOf": null,
            "idMessage": "A1",
            "direction": "incoming",
            "typeMessage": "textMessage",
            "sender": CHAT,
            "senderName": "Nina",
            "timestamp": NOON,
            "text": "Two loaves, please",
            "file": null,
            "location": null,
            "contacts": [],
            "quoted": null,
            "status": null,
            "statusTimestamp": null,
            "statusDescription": null,
            "edited": false,
            "deleted": false,
            "marker": null,
            "seq": 1,
            "statuses": [],
            "edits": [],
            "deletions": [],
            "reactions": [],
            "votes": [],
            "poll": null,
        })
    );
}

#[tokio::test]
async fn sent_message_has_its_direction_and_its_statuses() {
    for (type_webhook, direction) in [
        ("outgoingMessageReceived", "outgoingPhone"),
        ("outgoingAPIMessageReceived", "outgoingApi"),
    ] {
        let server = TestServer::start().await;
        let mut body = said::text("A1", NOON, "Still warm");
        body["typeWebhook"] = type_webhook.into();
        let mut failed = said::status("A1", NOON + 1, "failed");
        failed["description"] = "It was not taken".into();
        say(&server, [body, failed]).await;
        let path = place(INSTANCE, CHAT, "A1");
        let message = whole(&server, &path).await;
        assert_eq!(message["direction"], direction);
        assert_eq!(message["status"], "failed");
        assert_eq!(message["statusTimestamp"], NOON + 1);
        assert_eq!(message["statusDescription"], "It was not taken");

        say(&server, [said::status("A1", NOON + 2, "read")]).await;
        let message = whole(&server, &path).await;
        assert_eq!(message["direction"], direction);
        assert_eq!(message["status"], "read");
        assert_eq!(message["statusTimestamp"], NOON + 2);
        assert_eq!(message["statusDescription"], Value::Null);
        assert_eq!(
            message["statuses"],
            json!([
                { "seq": 2, "timestamp": NOON + 1, "status": "failed",
                  "description": "It was not taken" },
                { "seq": 3, "timestamp": NOON + 2, "status": "read", "description": null },
            ])
        );
    }
}

/// A `typeMessage`, its payload, and the text shown to a reader.
type Kind = (&'static str, Value, Option<&'static str>);

fn kinds_without_a_quote() -> Vec<Kind> {
    vec![
        (
            "extendedTextMessage",
            json!({ "extendedTextMessageData": { "text": "See https://example.com",
                "title": "Menu", "description": "Of today" } }),
            Some("See https://example.com"),
        ),
        (
            "locationMessage",
            json!({ "locationMessageData": { "nameLocation": "Bakery", "address": "7 Oven Lane",
                "latitude": "55.75", "longitude": 37.5 } }),
            Some("Bakery"),
        ),
        (
            "LocationMessage",
            json!({ "locationMessageData": { "nameLocation": "", "address": "7 Oven Lane" } }),
            Some("7 Oven Lane"),
        ),
        (
            "contactMessage",
            json!({ "contactMessageData": { "displayName": "Boris", "vcard": "BEGIN:VCARD" } }),
            Some("Boris"),
        ),
        (
            "contactsArrayMessage",
            json!({ "messageData": { "contacts": [
                { "displayName": "Boris", "vcard": "" }, { "displayName": "Vera", "vcard": "" },
            ] } }),
            Some("Boris, Vera"),
        ),
        (
            "groupInviteMessage",
            json!({ "groupInviteMessageData": { "groupJid": "1@g.us", "inviteCode": "x",
                "groupName": "Friends of bread", "caption": "" } }),
            Some("Friends of bread"),
        ),
        (
            "pollMessage",
            json!({ "pollMessageData": { "name": "Rye or wheat?", "options": [
                { "optionName": "Rye" }, { "optionName": "Wheat" },
            ], "multipleAnswers": false } }),
            Some("Rye or wheat?"),
        ),
        (
            "buttonsMessage",
            json!({ "buttonsMessage": { "contentText": "Deliver it?", "footer": "Bakery",
                "buttons": [] } }),
            Some("Deliver it?"),
        ),
        (
            "listMessage",
            json!({ "listMessage": { "contentText": "Choose", "title": "Bread", "sections": [] } }),
            Some("Choose"),
        ),
        (
            "ListMessage",
            json!({ "ListMessage": { "contentText": "Choose" } }),
            Some("Choose"),
        ),
        (
            "templateMessage",
            json!({ "templateMessage": { "contentText": "It is ready", "buttons": [] } }),
            Some("It is ready"),
        ),
        (
            "interactiveButtons",
            json!({ "interactiveButtons": { "titleText": "Sale", "contentText": "Show the code" } }),
            Some("Show the code"),
        ),
        (
            "interactiveButtonsReply",
            json!({ "interactiveButtonsReply": { "titleText": "Well?", "contentText": "Tell us" } }),
            Some("Tell us"),
        ),
        (
            "smellMessage",
            json!({ "smellMessageData": { "text": "rye" } }),
            None,
        ),
    ]
}

/// Replies to the message `Q1`.
fn replies() -> Vec<Kind> {
    let reply = json!({ "stanzaId": "Q1", "selectedId": "1", "selectedDisplayText": "On my way" });
    vec![
        (
            "buttonsResponseMessage",
            json!({ "buttonsResponseMessage": { "stanzaId": "Q1", "selectedButtonId": "2",
                "selectedButtonText": "I come by" } }),
            Some("I come by"),
        ),
        (
            "listResponseMessage",
            json!({ "listResponseMessage": { "stanzaId": "Q1", "title": "Bun",
                "listType": 1, "singleSelectReply": "bun" } }),
            Some("Bun"),
        ),
        (
            "templateButtonsReplyMessage",
            json!({ "templateButtonReplyMessage": reply }),
            Some("On my way"),
        ),
        (
            "interactiveButtonsReply",
            json!({ "templateButtonReplyMessage": reply }),
            Some("On my way"),
        ),
    ]
}

#[tokio::test]
async fn each_kind_of_message_has_its_visible_text() {
    let quoted = json!({ "idMessage": "Q1", "participant": null });
    for (kinds, quoted) in [(kinds_without_a_quote(), Value::Null), (replies(), quoted)] {
        for (type_message, mut data, text) in kinds {
            data["typeMessage"] = type_message.into();
            let message = shown(&said::message("A1", NOON, data)).await;
            assert_eq!(message["typeMessage"], type_message);
            assert_eq!(message["text"], json!(text), "{type_message}");
            assert_eq!(message["file"], Value::Null, "{type_message}");
            assert_eq!(message["quoted"], quoted, "{type_message}");
            assert_eq!(message["direction"], "incoming");
        }
    }
}

#[tokio::test]
async fn each_kind_of_file_message_has_its_file() {
    for type_message in [
        "imageMessage",
        "videoMessage",
        "documentMessage",
        "audioMessage",
        "stickerMessage",
    ] {
        let mut body = said::picture("A1", NOON, "A bun");
        body["messageData"]["typeMessage"] = type_message.into();
        let message = shown(&body).await;
        assert_eq!(message["typeMessage"], type_message);
        assert_eq!(message["text"], Value::Null);
        assert_eq!(
            message["file"],
            json!({
                "downloadUrl": "https://example.com/files/bun.jpg",
                "fileName": "bun.jpg",
                "mimeType": "image/jpeg",
                "caption": "A bun",
            })
        );
        // A field that is missing, empty or null is null.
        body["messageData"]["fileMessageData"] =
            json!({ "downloadUrl": "https://example.com/1", "caption": "", "fileName": null });
        assert_eq!(
            shown(&body).await["file"],
            json!({
                "downloadUrl": "https://example.com/1",
                "fileName": null,
                "mimeType": null,
                "caption": null,
            })
        );
    }
}

#[tokio::test]
async fn quote_is_read_from_each_of_its_locations() {
    let quoted = json!({ "idMessage": "Q1", "participant": "79007778899@c.us" });
    let block = json!({ "stanzaId": "Q1", "participant": "79007778899@c.us",
        "typeMessage": "textMessage", "textMessage": "Is there rye?" });
    // The old form without and with the `quotedMessage` block, and a text with the block.
    let old = json!({
        "typeMessage": "quotedMessage",
        "extendedTextMessageData": { "text": "There is", "stanzaId": "Q1",
            "participant": "79007778899@c.us" },
    });
    let mut both = old.clone();
    both["quotedMessage"] = block.clone();
    let text = json!({
        "typeMessage": "textMessage",
        "textMessageData": { "textMessage": "There is" },
        "quotedMessage": block,
    });
    for data in [old, both, text] {
        let message = shown(&said::message("A1", NOON, data)).await;
        assert_eq!(message["text"], "There is");
        assert_eq!(message["quoted"], quoted);
    }
    let mut beside = said::text("A1", NOON, "There is");
    beside["quotedMessage"] = block;
    assert_eq!(shown(&beside).await["quoted"], quoted);
}

#[tokio::test]
async fn sender_name_falls_back_to_the_contact_name_and_then_to_null() {
    for (sender_name, contact_name, shown_name) in [
        (json!("Nina"), json!("Nina of the oven"), json!("Nina")),
        (
            json!(""),
            json!("Nina of the oven"),
            json!("Nina of the oven"),
        ),
        (Value::Null, json!(""), Value::Null),
    ] {
        let mut body = said::text("A1", NOON, "Good morning");
        body["senderData"]["senderName"] = sender_name;
        body["senderData"]["senderContactName"] = contact_name;
        assert_eq!(shown(&body).await["senderName"], shown_name);
    }
    let mut body = said::text("A1", NOON, "Good morning");
    body["senderData"] = json!({ "chatId": CHAT });
    let message = shown(&body).await;
    assert_eq!(message["sender"], Value::Null);
    assert_eq!(message["senderName"], Value::Null);
}

#[tokio::test]
async fn max_message_with_numeric_chat_and_long_identifier_is_shown() {
    let id = "116000000000000000001";
    let mut body = said::text(id, NOON, "Good morning");
    body["instanceData"]["typeInstance"] = "v3".into();
    body["instanceData"]["idInstance"] = "3100000001".into();
    body["timestamp"] = NOON.to_string().into();
    body["senderData"]["chatId"] = json!(-69_000_000_000_000_i64);
    body["senderData"]["sender"] = json!(10_000_000);
    // An edit that replaces the media arrives without `messageData`.
    let mut replaced = body.clone();
    replaced["timestamp"] = json!(NOON + 5);
    replaced.as_object_mut().unwrap().remove("messageData");
    let mut alone = replaced.clone();
    alone["idMessage"] = "116000000000000000002".into();
    let server = TestServer::start().await;
    say(&server, [body, replaced, alone]).await;

    let message = whole(&server, &place(3_100_000_001, "-69000000000000", id)).await;
    assert_eq!(message["idMessage"], id);
    assert_eq!(message["chatId"], "-69000000000000");
    assert_eq!(message["sender"], "10000000");
    assert_eq!(message["idInstance"], 3_100_000_001_i64);
    assert_eq!(message["timestamp"], NOON);
    assert_eq!(
        message["text"], "Good morning",
        "a body without data does not clear the text"
    );

    let path = place(3_100_000_001, "-69000000000000", "116000000000000000002");
    let message = whole(&server, &path).await;
    assert_eq!(message["typeMessage"], Value::Null);
    assert_eq!(message["text"], Value::Null);
    assert_eq!(message["direction"], "incoming");
}

#[tokio::test]
async fn telegram_channel_message_has_the_channel_as_its_sender() {
    let mut body = said::text("4711", NOON, "Fresh at seven");
    body["instanceData"]["typeInstance"] = "telegram".into();
    body["senderData"] = json!({
        "chatId": "-1002000000050",
        "chatName": "News from the oven",
        "chatType": "channel",
        "sender": "-1002000000050",
        "senderName": "News from the oven",
        "senderType": "channel",
        "senderPhoneNumber": 0,
    });
    let server = TestServer::start().await;
    say(&server, [body]).await;
    let message = whole(&server, &place(INSTANCE, "-1002000000050", "4711")).await;
    assert_eq!(message["sender"], "-1002000000050");
    assert_eq!(message["senderName"], "News from the oven");
    assert_eq!(message["text"], "Fresh at seven");
}

#[tokio::test]
async fn malformed_body_or_unknown_type_is_not_a_message() {
    let mut malformed = said::text("A1", NOON, "Good morning");
    malformed["instanceData"] = json!({});
    let mut unknown = said::text("A2", NOON, "Good morning");
    unknown["typeWebhook"] = "smellReceived".into();
    let server = TestServer::start().await;
    say(&server, [malformed, unknown, json!("bread")]).await;
    assert!(entries(&server, "/api/v1/messages").await.is_empty());
    assert!(entries(&server, "/api/v1/chats").await.is_empty());
}

#[tokio::test]
async fn message_without_identifier_or_chat_is_shown_with_null() {
    let mut without_id = said::text("A3", NOON, "Good morning");
    without_id["idMessage"] = "".into();
    let mut without_chat = said::text("A4", NOON, "Good evening");
    without_chat["senderData"] = json!({});
    let neither = {
        let mut neither = without_chat.clone();
        neither["idMessage"] = Value::Null;
        neither
    };
    let server = TestServer::start().await;
    // Two messages without an identifier stay two messages.
    let mut again = without_id.clone();
    again["timestamp"] = (NOON + 1).into();
    say(&server, [without_id, without_chat, neither, again]).await;
    let shown = entries(&server, "/api/v1/messages?order=asc").await;
    let identities: Vec<_> = shown
        .iter()
        .map(|message| (&message["chatId"], &message["idMessage"], &message["text"]))
        .collect();
    let (chat, null) = (json!(CHAT), Value::Null);
    let (morning, evening) = (json!("Good morning"), json!("Good evening"));
    assert_eq!(
        identities,
        [
            (&chat, &null, &morning),
            (&null, &json!("A4"), &evening),
            (&null, &null, &evening),
            (&chat, &null, &morning),
        ]
    );
    assert_eq!(
        entries(&server, "/api/v1/messages?q=evening").await.len(),
        2
    );
    let of_chat = format!("/api/v1/messages?chat={CHAT}");
    assert_eq!(entries(&server, &of_chat).await.len(), 2);
    assert_eq!(entries(&server, "/api/v1/chats").await.len(), 1);
}

#[tokio::test]
async fn same_identifier_in_another_chat_or_instance_is_another_message() {
    let server = TestServer::start().await;
    let places = [
        (INSTANCE, CHAT),
        (INSTANCE, "79007778899@c.us"),
        (7_105_000_002, CHAT),
    ];
    let statuses = ["sent", "read", "failed"];
    for (number, (instance, chat)) in places.into_iter().enumerate() {
        let text = said::text("A1", NOON, &format!("loaf {number}"));
        let status = said::status("A1", NOON + 1, statuses[number]);
        say(
            &server,
            [text, status].map(|body| said::of(instance, said::within(chat, body))),
        )
        .await;
    }
    for (number, (instance, chat)) in places.into_iter().enumerate() {
        let message = whole(&server, &place(instance, chat, "A1")).await;
        assert_eq!(message["idInstance"], instance);
        assert_eq!(message["chatId"], chat);
        assert_eq!(message["text"], format!("loaf {number}"));
        assert_eq!(message["status"], statuses[number]);
    }
}

#[tokio::test]
async fn marker_is_shown_until_the_text_arrives() {
    let server = TestServer::start().await;
    let path = place(INSTANCE, CHAT, "A1");
    say(&server, [said::text("A1", NOON, "{{SWE001}}")]).await;
    let message = whole(&server, &path).await;
    assert_eq!(message["marker"], "SWE001");
    assert_eq!(message["text"], "{{SWE001}}");
    say(&server, [said::text("A1", NOON + 60, "Two loaves, please")]).await;
    let message = whole(&server, &path).await;
    assert_eq!(message["marker"], Value::Null);
    assert_eq!(message["text"], "Two loaves, please");
    assert_eq!(message["seq"], 1, "the seq does not change");
}

#[tokio::test]
async fn each_marker_is_recognized_only_in_its_own_form() {
    for marker in ["SWE003", "SWE999"] {
        let message = shown(&said::text("A1", NOON, &format!("{{{{{marker}}}}}"))).await;
        assert_eq!(message["marker"], marker);
    }
    let mut large = said::picture("A1", NOON, "A cake");
    large["messageData"]["fileMessageData"]["downloadUrl"] = "{{SWE002}}".into();
    assert_eq!(shown(&large).await["marker"], "SWE002");

    let mut status = said::status("A1", NOON, "failed");
    status["description"] = "SWE004: too many in the group: 128".into();
    let message = shown(&status).await;
    assert_eq!(message["marker"], "SWE004");
    assert_eq!(
        message["statusDescription"],
        "SWE004: too many in the group: 128"
    );
    // A text that only mentions a marker has none.
    let message = shown(&said::text("A1", NOON, "What is {{SWE001}}?")).await;
    assert_eq!(message["marker"], Value::Null);
}

#[tokio::test]
async fn message_is_found_by_identifiers_with_reserved_characters() {
    let server = TestServer::start().await;
    let odd = ["+100 & 5%=#?@g.us", "чат/с косой", "a%2Fb", "..", "🥐"];
    for chat in odd {
        for id in odd {
            say(
                &server,
                [said::within(
                    chat,
                    said::text(id, NOON, &format!("{chat} {id}")),
                )],
            )
            .await;
        }
    }
    for chat in odd {
        for id in odd {
            let message = whole(&server, &place(INSTANCE, chat, id)).await;
            assert_eq!(message["text"], format!("{chat} {id}"));
        }
    }
}

#[tokio::test]
async fn missing_message_is_a_404() {
    let server = filled([
        said::text("A1", NOON, "x").to_string(),
        said::call("C1", NOON, "offer").to_string(),
    ])
    .await;
    for path in [
        place(INSTANCE, CHAT, "A2"),
        place(INSTANCE, "79004445567@c.us", "A1"),
        place(INSTANCE + 1, CHAT, "A1"),
        // A call is not a message.
        place(INSTANCE, CHAT, "C1"),
        place(INSTANCE, CHAT, "a1"),
        format!("/api/v1/messages/{INSTANCE}/{CHAT}"),
        format!("/api/v1/messages/{INSTANCE}/{CHAT}/"),
        format!("{}/A1", place(INSTANCE, CHAT, "A1")),
    ] {
        let answer = get(server.private, &path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.code(), "not-found", "{path}");
    }
}

#[tokio::test]
async fn invalid_identifier_or_parameter_is_refused_with_400_and_named() {
    let server = filled([said::text("A1", NOON, "x").to_string()]).await;
    for instance in ["x", "1.5", "%201", "9223372036854775808", "1e3"] {
        let detail = refused(&server, &format!("/api/v1/messages/{instance}/{CHAT}/A1")).await;
        assert!(detail.contains("`idInstance`"), "{detail}");
    }
    let detail = refused(&server, &format!("/api/v1/messages/{INSTANCE}/%FF/A1")).await;
    assert!(detail.contains("`chatId`"), "{detail}");
    let detail = refused(&server, &format!("/api/v1/messages/{INSTANCE}/{CHAT}/%FF")).await;
    assert!(detail.contains("`idMessage`"), "{detail}");
    let path = place(INSTANCE, CHAT, "A1");
    let detail = refused(&server, &format!("{path}?limit=1")).await;
    assert!(detail.contains("`limit`"), "{detail}");
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let answer = request(server.private, method, &path, &[], "").await;
        assert_eq!(answer.status, 405);
        assert_eq!(answer.header("allow"), "GET, HEAD");
    }
}
