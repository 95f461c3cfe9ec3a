//! Odd bodies that GREEN-API was seen to send: the message is shown as if the body were not odd, in
//! whatever order the bodies arrive.

use serde_json::{Value, json};

use super::message::{place, whole};
use super::{entries, say};
use crate::support::said::{self, CHAT, INSTANCE, NOON};
use crate::support::{TestServer, get, post};

const PHONE: &str = "79004440001@c.us";
const LID: &str = "240000000000017@lid";

/// A server that received the bodies in this order, and one that received them in reverse.
async fn both_ways(bodies: &[Value]) -> [TestServer; 2] {
    let servers = [TestServer::start().await, TestServer::start().await];
    say(&servers[0], bodies.iter().cloned()).await;
    say(&servers[1], bodies.iter().rev().cloned()).await;
    servers
}

/// The message and the event that one body becomes; the body must be known.
async fn shown(body: &Value) -> (Value, Value) {
    let server = TestServer::start().await;
    let answer = post(server.public, body.to_string()).await.json();
    assert_eq!(answer["outcome"], "known", "{body}");
    let messages = entries(&server, "/api/v1/messages").await;
    assert_eq!(messages.len(), 1, "{body}");
    let event = get(server.private, "/api/v1/events/1").await.json();
    (messages[0].clone(), event)
}

/// A message with this `messageData`.
fn of_type(type_message: &str, key: &str, payload: impl Into<Value>) -> Value {
    let payload = payload.into();
    let data = json!({ "typeMessage": type_message, key: payload });
    said::message("A1", NOON, data)
}

/// A customer's press of a button.
fn pressed() -> Value {
    let payload = json!({
        "stanzaId": "BUTTONS",
        "selectedIndex": 1,
        "selectedId": "rye",
        "selectedDisplayText": "Rye, please",
    });
    of_type(
        "interactiveButtonsResponse",
        "interactiveButtonsResponse",
        payload,
    )
}

#[tokio::test]
async fn pressed_button_is_the_text_and_quotes_the_buttons() {
    let mut quoting = pressed();
    quoting["messageData"]["quotedMessage"] = json!({
        "stanzaId": "BUTTONS",
        "participant": PHONE,
        "typeMessage": "interactiveButtons",
        "interactiveButtons": { "contentText": "Which bread?", "buttons": [] },
    });
    for (body, participant) in [(pressed(), Value::Null), (quoting, json!(PHONE))] {
        let (message, event) = shown(&body).await;
        assert_eq!(message["text"], "Rye, please");
        assert_eq!(
            message["quoted"],
            json!({ "idMessage": "BUTTONS", "participant": participant })
        );
        assert_eq!(event["reason"], Value::Null);
    }
}

#[tokio::test]
async fn product_and_order_are_shown_as_one_line_and_found_by_search() {
    let product = of_type(
        "productMessage",
        "productMessage",
        json!({
            "productId": "31",
            "title": "Rye loaf",
            "description": "Baked at night",
            "currencyCode": "RUB",
            "price": "120",
            "fileMessageData": {
                "downloadUrl": "https://example.com/loaf.jpg",
                "fileName": "loaf.jpg",
                "mimeType": "image/jpeg",
            },
        }),
    );
    let (message, _) = shown(&product).await;
    assert_eq!(message["text"], "Rye loaf, 120 RUB, Baked at night");
    assert_eq!(
        message["file"]["downloadUrl"],
        "https://example.com/loaf.jpg"
    );
    let order = of_type(
        "orderMessage",
        "orderMessage",
        json!({
            "orderId": 9001,
            "orderTitle": "Basket",
            "totalPrice": 360.5,
            "totalCurrencyCode": "RUB",
            "itemCount": 3,
            "message": "before noon",
        }),
    );
    let (message, _) = shown(&order).await;
    assert_eq!(message["text"], "Basket, 9001, 360.5 RUB, before noon");
    assert_eq!(message["file"], Value::Null);

    let server = TestServer::start().await;
    say(&server, [product]).await;
    assert_eq!(
        entries(&server, "/api/v1/messages?q=rye+night").await.len(),
        1
    );
}

#[tokio::test]
async fn empty_index_of_a_pressed_button_is_left_out_and_listed_as_drift() {
    let reply = json!({
        "stanzaId": "T1",
        "selectedIndex": "",
        "selectedId": "",
        "selectedDisplayText": "Certainly",
    });
    let body = of_type(
        "templateButtonsReplyMessage",
        "templateButtonReplyMessage",
        reply,
    );
    let (message, event) = shown(&body).await;
    assert_eq!(message["text"], "Certainly");
    assert_eq!(event["drift"].as_array().unwrap().len(), 1);
    assert_eq!(
        event["drift"][0]["path"],
        "messageData.templateButtonReplyMessage.selectedIndex"
    );
}

#[tokio::test]
async fn empty_status_changes_nothing() {
    let mut failed = said::status("A1", NOON + 1, "failed");
    failed["description"] = "no route".into();
    let empty = |at: i64, status: Value| {
        let mut body = said::status("A1", NOON + at, "");
        body["status"] = status;
        body
    };
    let mut missing = empty(4, Value::Null);
    missing.as_object_mut().unwrap().remove("status");
    let nothing = [
        empty(2, json!("")),
        empty(3, json!(" ")),
        empty(5, Value::Null),
        empty(6, json!([])),
        missing,
    ];
    let text = said::text("A1", NOON, "Two loaves");
    let mut bodies = vec![text.clone(), failed];
    bodies.extend(nothing.clone());
    for server in both_ways(&bodies).await {
        let message = whole(&server, &place(INSTANCE, CHAT, "A1")).await;
        assert_eq!(message["status"], "failed");
        assert_eq!(message["statusDescription"], "no route");
        assert_eq!(message["statuses"].as_array().unwrap().len(), 1);
    }
    let mut bodies = vec![text];
    bodies.extend(nothing.clone());
    for server in both_ways(&bodies).await {
        let message = whole(&server, &place(INSTANCE, CHAT, "A1")).await;
        assert_eq!(message["status"], Value::Null);
        assert_eq!(message["statuses"], json!([]));
    }
    for server in both_ways(&nothing).await {
        assert!(entries(&server, "/api/v1/messages").await.is_empty());
    }
}

#[tokio::test]
async fn status_without_a_chat_applies_to_the_only_message_with_its_identifier() {
    let mut read = said::status("A1", NOON + 5, "read");
    read.as_object_mut().unwrap().remove("chatId");
    let here = said::text("A1", NOON, "Two loaves");
    let elsewhere = said::within(PHONE, said::text("A1", NOON, "Three loaves"));
    let other_account = said::of(7_105_000_009, said::text("A1", NOON, "Four loaves"));
    let statuses = async |server: &TestServer| -> Vec<Value> {
        let messages = entries(server, "/api/v1/messages").await;
        let mut found: Vec<_> = messages
            .iter()
            .map(|message| json!([message["text"], message["status"]]))
            .collect();
        found.sort_by_key(Value::to_string);
        found
    };
    for server in both_ways(&[here.clone(), read.clone(), other_account]).await {
        assert_eq!(
            statuses(&server).await,
            [json!(["Four loaves", null]), json!(["Two loaves", "read"])]
        );
    }
    // The status could belong to either message, so it applies to neither, and each message keeps
    // its own status.
    let sent = said::status("A1", NOON + 1, "sent");
    for bodies in [
        [here.clone(), sent.clone(), read.clone(), elsewhere.clone()],
        [read, elsewhere, sent, here],
    ] {
        for server in both_ways(&bodies).await {
            assert_eq!(
                statuses(&server).await,
                [json!(["Three loaves", null]), json!(["Two loaves", "sent"])]
            );
        }
    }
}

#[tokio::test]
async fn all_forms_of_a_chat_id_are_one_chat() {
    let forms = [
        "79004440001@c.us",
        "79004440001:7@c.us",
        "79004440001@s.whatsapp.net",
    ];
    let bodies = [
        said::within(forms[2], said::text("A1", NOON, "Your code")),
        said::within(forms[1], said::status("A1", NOON + 1, "read")),
        said::within(forms[0], said::text("A2", NOON + 2, "Thanks")),
    ];
    for server in both_ways(&bodies).await {
        let chats = entries(&server, "/api/v1/chats").await;
        assert_eq!(chats.len(), 1);
        assert_eq!(chats[0]["chatId"], PHONE);
        for form in forms {
            let message = whole(&server, &place(INSTANCE, form, "A1")).await;
            assert_eq!(message["chatId"], PHONE);
            assert_eq!(message["status"], "read");
            let path = super::address("/api/v1/messages", &[("chat", form)]);
            assert_eq!(entries(&server, &path).await.len(), 2, "{form}");
            // The event keeps the form that was received.
            let path = super::address("/api/v1/events", &[("chat", form)]);
            let events = entries(&server, &path).await;
            assert_eq!(events.len(), 1, "{form}");
            assert_eq!(events[0]["chatId"], form);
        }
    }
}

#[tokio::test]
async fn empty_edit_adds_no_message_and_clears_no_text() {
    let edit = |id: &str, payload: Value| {
        let data = json!({ "typeMessage": "editedMessage", "editedMessageData": payload });
        said::message(id, NOON + 10, data)
    };
    let mut missing = edit("E3", Value::Null);
    let data = missing["messageData"].as_object_mut().unwrap();
    data.remove("editedMessageData");
    let bodies = [
        said::text("A1", NOON, "the last real message"),
        edit("E1", json!({})),
        edit("E2", json!({ "stanzaId": "A1", "textMessage": "" })),
        missing,
        said::status("E1", NOON + 11, "read"),
    ];
    for server in both_ways(&bodies).await {
        let messages = entries(&server, "/api/v1/messages").await;
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert_eq!(messages[0]["text"], "the last real message");
        assert_eq!(messages[0]["edited"], false);
        let chats = entries(&server, "/api/v1/chats").await;
        assert_eq!(chats[0]["lastMessage"]["idMessage"], "A1");
    }
}

#[tokio::test]
async fn events_of_a_call_with_different_callers_are_one_call() {
    let bodies = [
        said::within(LID, said::call("C1", NOON, "offer")),
        said::within(PHONE, said::call("C1", NOON + 30, "missed")),
    ];
    for server in both_ways(&bodies).await {
        let calls = entries(&server, "/api/v1/calls").await;
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0]["status"], "missed");
        assert_eq!(calls[0]["from"], PHONE);
        for chat in [LID, PHONE] {
            let path = super::address("/api/v1/calls", &[("chat", chat)]);
            assert_eq!(entries(&server, &path).await.len(), 1, "{chat}");
        }
    }
    let mut nobody = said::call("C2", NOON, "missed");
    nobody.as_object_mut().unwrap().remove("from");
    let mut nameless = said::call("C3", NOON, "missed");
    nameless.as_object_mut().unwrap().remove("idMessage");
    for server in both_ways(&[nobody, nameless]).await {
        let calls = entries(&server, "/api/v1/calls?order=asc").await;
        let mut found: Vec<_> = calls
            .iter()
            .map(|call| json!([call["idMessage"], call["from"]]))
            .collect();
        found.sort_by_key(Value::to_string);
        assert_eq!(found, [json!(["C2", null]), json!([null, CHAT])]);
    }
}

#[tokio::test]
async fn outgoing_call_is_listed_in_the_chat_that_was_called() {
    let mut call = said::within(PHONE, said::call("C1", NOON, "pickUp"));
    call["typeWebhook"] = "outgoingCall".into();
    let server = TestServer::start().await;
    say(&server, [call]).await;
    for list in ["/api/v1/calls", "/api/v1/events"] {
        let path = super::address(list, &[("chat", PHONE)]);
        assert_eq!(entries(&server, &path).await.len(), 1, "{list}");
    }
    let event = get(server.private, "/api/v1/events/1").await.json();
    assert_eq!(
        (&event["chatId"], &event["sender"]),
        (&json!(PHONE), &Value::Null)
    );
    assert_eq!(entries(&server, "/api/v1/calls").await[0]["from"], PHONE);
}

#[tokio::test]
async fn odd_quote_does_not_hide_the_text() {
    for quote in [
        json!(""),
        json!([]),
        json!({}),
        json!(7),
        json!({ "stanzaId": [] }),
    ] {
        let mut body = said::text("A1", NOON, "hi");
        body["messageData"]["quotedMessage"] = quote.clone();
        let (message, event) = shown(&body).await;
        assert_eq!(message["text"], "hi", "{quote}");
        let is_odd = quote != json!({});
        assert_eq!(event["drift"] != json!([]), is_odd, "{quote}: {event}");
        assert_eq!(message["quoted"], Value::Null, "{quote}");
    }
}

#[tokio::test]
async fn location_without_coordinates_is_shown_with_null_coordinates() {
    let place = |latitude: Value, longitude: Value| {
        let payload = json!({
            "nameLocation": "Bakery",
            "address": "",
            "latitude": latitude,
            "longitude": longitude,
        });
        of_type("locationMessage", "locationMessageData", payload)
    };
    for (body, latitude, longitude) in [
        (place(json!(""), json!("")), Value::Null, Value::Null),
        (place(Value::Null, Value::Null), Value::Null, Value::Null),
        (place(json!("59.5"), json!(30)), json!(59.5), json!(30.0)),
    ] {
        let (message, _) = shown(&body).await;
        assert_eq!(
            message["location"],
            json!({
                "latitude": latitude,
                "longitude": longitude,
                "name": "Bakery",
                "address": null,
            })
        );
        assert_eq!(message["text"], "Bakery");
    }
}

#[tokio::test]
async fn every_contact_is_shown_and_found_by_search() {
    let card = |name: &str, phone: &str| {
        format!("BEGIN:VCARD\nVERSION:3.0\nN:;{name};;;\nFN:{name}\nTEL;waid=1:{phone}\nEND:VCARD")
    };
    let contacts = json!([
        { "displayName": "Vera Sokolova", "vcard": card("Vera", "+7 900 444-00-02") },
        { "displayName": "", "vcard": card("Gleb", "+7 900 444-00-03") },
    ]);
    for data in [
        json!({ "typeMessage": "contactsArrayMessage", "messageData": { "contacts": contacts } }),
        json!({ "typeMessage": "contactsArrayMessage", "contacts": contacts }),
    ] {
        let server = TestServer::start().await;
        say(&server, [said::message("A1", NOON, data)]).await;
        let message = &entries(&server, "/api/v1/messages").await[0];
        assert_eq!(message["text"], "Vera Sokolova, Gleb");
        assert_eq!(
            message["contacts"],
            json!([
                { "name": "Vera Sokolova", "phones": ["+7 900 444-00-02"] },
                { "name": "Gleb", "phones": ["+7 900 444-00-03"] },
            ])
        );
        for found in ["sokolova", "gleb", "444"] {
            let path = super::address("/api/v1/messages", &[("q", found)]);
            assert_eq!(entries(&server, &path).await.len(), 1, "{found}");
        }
    }
}

#[tokio::test]
async fn latest_vote_of_each_voter_counts() {
    let group = "120363000000000017@g.us";
    let (anna, boris) = ("79004440011@c.us", "79004440012@c.us");
    let poll = json!({
        "name": "When?",
        "options": [{ "optionName": "Monday" }, { "optionName": "Tuesday" }],
        "multipleAnswers": false,
    });
    let data = json!({ "typeMessage": "pollMessage", "pollMessageData": poll });
    let poll = said::within(group, said::message("P1", NOON, data));
    let vote = |number: i64, voter: &str, monday: &[&str], tuesday: &[&str]| {
        let data = json!({
            "typeMessage": "pollUpdateMessage",
            "pollMessageData": {
                "stanzaId": "P1",
                "name": "When?",
                "votes": [
                    { "optionName": "Monday", "optionVoters": monday },
                    { "optionName": "Tuesday", "optionVoters": tuesday },
                ],
            },
        });
        let mut body = said::message(&format!("V{number}"), NOON + number, data);
        body["senderData"]["chatId"] = group.into();
        body["senderData"]["sender"] = voter.into();
        body
    };
    let bodies = [
        poll,
        vote(1, anna, &[anna], &[]),
        vote(2, boris, &[], &[boris]),
        vote(3, anna, &[], &[]),
        vote(4, anna, &[], &[anna]),
    ];
    let totals: [(&[&str], &[&str]); 5] = [
        (&[], &[]),
        (&[anna], &[]),
        (&[anna], &[boris]),
        (&[], &[boris]),
        (&[], &[anna, boris]),
    ];
    for (step, (monday, tuesday)) in totals.into_iter().enumerate() {
        for server in both_ways(&bodies[..=step]).await {
            let message = whole(&server, &place(INSTANCE, group, "P1")).await;
            assert_eq!(
                message["poll"],
                json!({
                    "name": "When?",
                    "multipleAnswers": false,
                    "options": [
                        { "option": "Monday", "total": monday.len(), "voters": monday },
                        { "option": "Tuesday", "total": tuesday.len(), "voters": tuesday },
                    ],
                    "voters": monday.len() + tuesday.len(),
                }),
                "{step}"
            );
        }
    }
}

#[tokio::test]
async fn half_of_a_surrogate_pair_is_shown_as_u_fffd_everywhere() {
    let whole = said::text("A1", NOON, "cut HALF off").to_string();
    let body = whole.replace("HALF", r"\ud83d");
    let server = TestServer::start().await;
    assert_eq!(
        post(server.public, body.clone()).await.json()["outcome"],
        "known"
    );
    let expected = "cut \u{fffd} off";
    assert_eq!(
        entries(&server, "/api/v1/messages").await[0]["text"],
        expected
    );
    let message = self::whole(&server, &place(INSTANCE, CHAT, "A1")).await;
    assert_eq!(message["text"], expected);
    let event = get(server.private, "/api/v1/events/1").await.json();
    let text = &event["body"]["messageData"]["textMessageData"]["textMessage"];
    assert_eq!(text, expected);
    // The raw body is unchanged.
    let bytes = get(server.private, "/api/v1/events/1/body").await.body;
    assert_eq!(bytes, body.as_bytes());
}

#[tokio::test]
async fn chats_of_one_person_name_each_other_once_they_are_linked() {
    let aliases = async |server: &TestServer| -> Vec<Value> {
        let chats = entries(server, "/api/v1/chats").await;
        let mut found: Vec<_> = chats
            .iter()
            .map(|chat| json!([chat["chatId"], chat["aliasOf"]]))
            .collect();
        found.sort_by_key(Value::to_string);
        found
    };
    let mut written = said::within(LID, said::text("L1", NOON, "we write"));
    written["typeWebhook"] = "outgoingAPIMessageReceived".into();
    let answer = |participant: &str| {
        let data = json!({
            "typeMessage": "quotedMessage",
            "extendedTextMessageData": { "text": "they answer", "stanzaId": "L1" },
            "quotedMessage": { "stanzaId": "L1", "participant": participant },
        });
        let mut body = said::within(PHONE, said::message("L2", NOON + 1, data));
        body["senderData"]["sender"] = PHONE.into();
        body
    };
    let unknown = said::within(PHONE, said::text("L3", NOON + 1, "they write"));
    for server in both_ways(&[written.clone(), unknown]).await {
        assert_eq!(
            aliases(&server).await,
            [json!([LID, null]), json!([PHONE, null])]
        );
    }
    for server in both_ways(&[written, answer(LID)]).await {
        assert_eq!(
            aliases(&server).await,
            [json!([LID, PHONE]), json!([PHONE, LID])]
        );
    }
}

#[tokio::test]
async fn poorer_duplicate_adds_fields_and_clears_none() {
    let mut rich = said::picture("A1", NOON + 5, "A warm bun");
    rich["senderData"]["senderName"] = Value::Null;
    let mut poor = said::picture("A1", NOON, "");
    let file = &mut poor["messageData"]["fileMessageData"];
    file["downloadUrl"] = "".into();
    file["fileName"] = Value::Null;
    let bare = said::message("A1", NOON + 9, json!({ "typeMessage": "imageMessage" }));
    for server in both_ways(&[rich, poor, bare]).await {
        let messages = entries(&server, "/api/v1/messages").await;
        assert_eq!(messages.len(), 1);
        let message = &messages[0];
        assert_eq!(message["timestamp"], NOON, "the earliest timestamp wins");
        assert_eq!(message["senderName"], "Nina");
        assert_eq!(message["file"]["caption"], "A warm bun");
        assert_eq!(message["file"]["fileName"], "bun.jpg");
        assert_eq!(
            message["file"]["downloadUrl"],
            "https://example.com/files/bun.jpg"
        );
        assert_eq!(entries(&server, "/api/v1/messages?q=warm").await.len(), 1);
    }
}

#[tokio::test]
async fn empty_message_has_a_marker_in_each_of_its_forms() {
    for (type_message, key, payload) in [
        ("textMessage", "textMessageData", json!({})),
        (
            "textMessage",
            "textMessageData",
            json!({ "textMessage": "" }),
        ),
        (
            "textMessage",
            "textMessageData",
            json!({ "textMessage": null }),
        ),
        (
            "textMessage",
            "textMessageData",
            json!({ "textMessage": " {{SWE001}}\n" }),
        ),
        (
            "extendedTextMessage",
            "extendedTextMessageData",
            json!({ "text": "" }),
        ),
        (
            "extendedTextMessage",
            "extendedTextMessageData",
            json!({ "text": "{{SWE001}}" }),
        ),
        (
            "quotedMessage",
            "extendedTextMessageData",
            json!({ "text": "{{SWE001}}" }),
        ),
    ] {
        let (message, _) = shown(&of_type(type_message, key, payload.clone())).await;
        assert_eq!(message["marker"], "SWE001", "{payload}");
    }
    let group = json!({ "textMessage": "{{SWE004}} 181" });
    let (message, _) = shown(&of_type("textMessage", "textMessageData", group)).await;
    assert_eq!(message["marker"], "SWE004");
    let preview = json!({ "text": "", "title": "Bakery" });
    let body = of_type("extendedTextMessage", "extendedTextMessageData", preview);
    assert_eq!(shown(&body).await.0["marker"], Value::Null);
}

#[tokio::test]
async fn last_value_of_a_duplicate_key_wins_and_the_key_is_drift() {
    let body = said::text("A1", NOON, "rye").to_string();
    let body = body
        .replace(r#""chatName":"#, r#""chatName":"Vera","chatName":"#)
        .replace(
            r#""typeWebhook":"#,
            r#""typeWebhook":"note","typeWebhook":"#,
        );
    let server = TestServer::start().await;
    assert_eq!(post(server.public, body).await.json()["outcome"], "known");
    let event = get(server.private, "/api/v1/events/1").await.json();
    let mut paths: Vec<_> = event["drift"]
        .as_array()
        .unwrap()
        .iter()
        .map(|drift| drift["path"].as_str().unwrap())
        .collect();
    paths.sort_unstable();
    assert_eq!(paths, ["senderData.chatName", "typeWebhook"]);
    assert_eq!(event["typeWebhook"], "incomingMessageReceived");
    let chats = entries(&server, "/api/v1/chats").await;
    assert_eq!(chats[0]["chatName"], "Nina the baker");
}

#[tokio::test]
async fn later_event_with_the_same_content_names_the_earlier_one() {
    let text = said::text("A1", NOON, "rye");
    let mut renamed = text.clone();
    renamed["senderData"]["senderName"] = "N.".into();
    let mut late = text.clone();
    late["timestamp"] = (NOON + 60).into();
    let read = said::status("A1", NOON + 1, "read");
    let mut read_again = read.clone();
    read_again["timestamp"] = (NOON + 2).into();
    let state = said::state(NOON, "blocked");
    let mut state_again = state.clone();
    state_again["added"] = 1.into();
    let server = TestServer::start().await;
    say(
        &server,
        [
            said::text("A1", NOON, "{{SWE001}}"),
            text,
            renamed,
            late,
            said::text("A2", NOON, "rye"),
            read,
            read_again,
            said::status("A1", NOON + 3, "delivered"),
            state,
            state_again,
            said::state(NOON + 1, "blocked"),
        ],
    )
    .await;
    let null = Value::Null;
    let expected = [
        null.clone(),
        null.clone(),
        json!(2),
        json!(2),
        null.clone(),
        null.clone(),
        json!(6),
        null.clone(),
        null.clone(),
        json!(9),
        null,
    ];
    // A list waits for the projection, which finds the duplicates.
    entries(&server, "/api/v1/chats").await;
    for path in [
        "/api/v1/events?order=asc",
        "/api/v1/events?after=0&body=true",
    ] {
        assert_eq!(
            super::column(&server, path, "duplicateOf").await,
            expected,
            "{path}"
        );
    }
    let event = get(server.private, "/api/v1/events/10").await.json();
    assert_eq!(event["duplicateOf"], 9);
    let distinct = [1, 2, 5, 6, 8, 9, 11].map(Value::from);
    for path in [
        "/api/v1/events?order=asc&distinct=true",
        "/api/v1/events?after=0&distinct=true",
    ] {
        assert_eq!(
            super::column(&server, path, "seq").await,
            distinct,
            "{path}"
        );
    }
    let messages = entries(&server, "/api/v1/messages?distinct=true").await;
    assert_eq!(messages.len(), 2);
}
