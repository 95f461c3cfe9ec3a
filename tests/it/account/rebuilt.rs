//! A notification that is made from a journal stands for the one that never came.

use serde_json::{Value, json};

use super::reconcile::{
    CHAT, INCOMING, NOW, OUTGOING, counts, data, entry, id, instance_data, notification, reconcile,
    server,
};
use crate::support::{GreenApi, TestServer, post};

/// Entries, the notification that each stands for, and the journal that has it.
fn pairs() -> Vec<(&'static str, Value, Value)> {
    let mut pairs = vec![(INCOMING, entry(&id(0), "hi"), notification(&id(0), "hi"))];
    pairs.extend(received());
    pairs.extend(sent());
    pairs.extend(calls());
    pairs
}

fn received() -> Vec<(&'static str, Value, Value)> {
    let quoted = json!({ "stanzaId": id(90), "participant": CHAT, "typeMessage": "textMessage", "textMessage": "old" });
    let text = json!({ "text": "see", "description": "d", "title": "t", "previewType": "None" });
    let file = json!({
        "downloadUrl": "https://files.example.org/a.jpg", "caption": "c", "fileName": "a.jpg", "mimeType": "image/jpeg",
        "isForwarded": false, "forwardingScore": 0,
    });
    let place = json!({ "nameLocation": "n", "address": "a", "latitude": 1.5, "longitude": 2.5 });
    let card = json!({ "displayName": "Bob", "vcard": "BEGIN:VCARD\nFN:Bob\nTEL:+79000000003\nEND:VCARD" });
    let reply = json!({ "text": "yes", "stanzaId": id(90), "participant": CHAT });
    let poll = json!({ "name": "q", "options": [{ "optionName": "a" }, { "optionName": "b" }], "multipleAnswers": false });
    let button = json!({ "stanzaId": id(90), "selectedIndex": 0, "selectedId": "1", "selectedDisplayText": "Yes" });
    // typeMessage, the fields of the entry, the fields of messageData.
    let contents = [
        (
            "extendedTextMessage",
            json!({ "extendedTextMessage": text }),
            json!({ "extendedTextMessageData": text }),
        ),
        (
            "imageMessage",
            file.clone(),
            json!({ "fileMessageData": file }),
        ),
        (
            "locationMessage",
            json!({ "location": place }),
            json!({ "locationMessageData": place }),
        ),
        (
            "contactMessage",
            json!({ "contact": card }),
            json!({ "contactMessageData": card }),
        ),
        (
            "quotedMessage",
            json!({ "extendedTextMessage": reply, "quotedMessage": quoted }),
            json!({ "extendedTextMessageData": reply, "quotedMessage": quoted }),
        ),
        (
            "reactionMessage",
            json!({ "extendedTextMessageData": { "text": "+" }, "quotedMessage": { "stanzaId": id(0), "participant": CHAT } }),
            json!({ "extendedTextMessageData": { "text": "+" }, "quotedMessage": { "stanzaId": id(0), "participant": CHAT } }),
        ),
        (
            "pollMessage",
            json!({ "pollMessageData": poll }),
            json!({ "pollMessageData": poll }),
        ),
        (
            "templateButtonsReplyMessage",
            json!({ "templateButtonReplyMessage": button }),
            json!({ "templateButtonReplyMessage": button }),
        ),
    ];
    let mut pairs = Vec::new();
    for (number, (kind, fields, content)) in contents.into_iter().enumerate() {
        let id = id(number + 1);
        let (mut entry, mut notification) = (entry(&id, ""), notification(&id, ""));
        entry.as_object_mut().unwrap().remove("textMessage");
        entry["typeMessage"] = json!(kind);
        entry
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        notification["messageData"] = content;
        notification["messageData"]["typeMessage"] = json!(kind);
        pairs.push((INCOMING, entry, notification));
    }
    pairs
}

fn sent() -> Vec<(&'static str, Value, Value)> {
    let mut pairs = Vec::new();
    for (number, (by_api, type_webhook)) in [
        (true, "outgoingAPIMessageReceived"),
        (false, "outgoingMessageReceived"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = id(50 + number);
        let mut entry = entry(&id, "ok");
        entry["type"] = json!("outgoing");
        entry["sendByApi"] = json!(by_api);
        for name in ["senderId", "senderName", "senderContactName"] {
            entry.as_object_mut().unwrap().remove(name);
        }
        let mut notification = notification(&id, "ok");
        notification["typeWebhook"] = json!(type_webhook);
        notification["senderData"] =
            json!({ "chatId": CHAT, "sender": "79000000001@c.us", "chatName": "Ann" });
        pairs.push((OUTGOING, entry, notification));
    }
    pairs
}

fn calls() -> Vec<(&'static str, Value, Value)> {
    let mut pairs = Vec::new();
    for (number, (journal, kind, status)) in [
        ("lastIncomingCalls", "incomingCall", "declined"),
        ("lastOutgoingCalls", "outgoingCall", "pickUp"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = id(60 + number);
        let entry = json!({
            "type": "incoming", "idMessage": id, "timestamp": NOW - 3600, "typeMessage": kind, "chatId": CHAT,
            "isVideo": false, "status": status,
        });
        let notification = json!({
            "typeWebhook": kind, "instanceData": instance_data(), "timestamp": NOW - 3600, "idMessage": id, "from": CHAT,
            "isVideo": false, "status": status,
        });
        pairs.push((journal, entry, notification));
    }
    pairs
}

/// Events, messages and calls without what depends on the way in.
async fn shown(server: &TestServer) -> Vec<Value> {
    let mut shown = Vec::new();
    for path in ["/api/v1/events", "/api/v1/messages", "/api/v1/calls"] {
        let mut entries = data(server, path).await;
        for entry in &mut entries {
            let fields = entry.as_object_mut().unwrap();
            for name in ["seq", "receivedAt", "lastReceivedAt", "origin", "events"] {
                fields.remove(name);
            }
        }
        entries.sort_by_key(|entry| entry["idMessage"].as_str().map(str::to_owned));
        shown.extend(entries);
    }
    shown
}

#[tokio::test]
async fn rebuilt_notification_has_the_same_columns_and_the_same_message() {
    let green_api = GreenApi::start().await;
    green_api.switch_on();
    let (received, restored) = (TestServer::start().await, server(&green_api).await);
    let pairs = pairs();
    for (journal, entry, notification) in &pairs {
        green_api.record(journal, entry.clone());
        post(received.public, notification.to_string()).await;
    }
    let number = i64::try_from(pairs.len()).unwrap();
    let report = reconcile(&restored, "").await;
    assert_eq!(counts(&report), [number, number, number, 0]);
    let (expected, found) = (shown(&received).await, shown(&restored).await);
    for (expected, found) in expected.iter().zip(&found) {
        assert_eq!(found, expected);
    }
    assert_eq!(expected.len(), found.len());
    let report = reconcile(&restored, "").await;
    assert_eq!(counts(&report), [number, 0, 0, 0]);
    received.stop().await;
    restored.stop().await;
}
