//! `GET /api/v1/stats`: counts.

use serde_json::{Value, json};

use super::{entries, list, say};
use crate::support::said::{self, NOON};
use crate::support::{TestServer, post};

const OTHER_INSTANCE: i64 = 7_105_000_002;

/// The counts, once the projection has caught up.
async fn stats(server: &TestServer, query: &str) -> Value {
    entries(server, "/api/v1/instances").await;
    let answer = list(server.private, &format!("/api/v1/stats{query}")).await;
    let mut stats = answer.json();
    // The epoch is random; every response carries it.
    let epoch = stats.as_object_mut().unwrap().remove("epoch").unwrap();
    assert_eq!(epoch, answer.header("green-inbox-epoch"));
    stats
}

#[tokio::test]
async fn empty_database_has_zero_counts() {
    let server = TestServer::start().await;
    assert_eq!(
        stats(&server, "").await,
        json!({
            "oldestSeq": null,
            "newestSeq": 0,
            "derivedSeq": 0,
            "events": 0,
            "eventsByOutcome": {},
            "eventsByType": {},
            "messages": 0,
            "calls": 0,
            "chats": 0,
            "instances": 0,
        })
    );
}

#[tokio::test]
async fn each_event_and_entity_is_counted_once() {
    let server = TestServer::start().await;
    let text = said::text("A1", NOON, "Good morning");
    let mut unknown = said::text("A2", NOON, "");
    unknown["messageData"] = json!({ "typeMessage": "smellMessage" });
    let mut malformed = said::text("A3", NOON, "");
    malformed["messageData"] = json!([]);
    say(
        &server,
        [
            text.clone(),
            unknown,
            malformed,
            said::status("A1", NOON, "read"),
            said::status("A4", NOON, "read"),
            said::edit("E1", NOON, "A1", "textMessage", "Good evening"),
            said::within("79007778899@c.us", said::text("A1", NOON, "Good morning")),
            said::call("C1", NOON, "offer"),
            said::call("C1", NOON, "missed"),
            said::of(OTHER_INSTANCE, said::text("A1", NOON, "Good morning")),
            said::of(
                OTHER_INSTANCE,
                json!({ "typeWebhook": "note", "instanceData": {} }),
            ),
            json!({ "typeWebhook": "note" }),
        ],
    )
    .await;
    assert_eq!(post(server.public, "bread").await.json()["seq"], 13);
    // A duplicate is not counted.
    say(&server, [text]).await;
    assert_eq!(post(server.public, "bread").await.json()["repeated"], true);
    assert_eq!(
        stats(&server, "").await,
        json!({
            "oldestSeq": 1,
            "newestSeq": 13,
            "derivedSeq": 13,
            "events": 13,
            "eventsByOutcome": { "known": 8, "unknown": 3, "malformed": 2 },
            "eventsByType": {
                "": 1,
                "incomingCall": 2,
                "incomingMessageReceived": 6,
                "note": 2,
                "outgoingMessageStatus": 2,
            },
            "messages": 5,
            "calls": 1,
            "chats": 3,
            "instances": 2,
        })
    );
    assert_eq!(
        stats(&server, "?instance=7105000002").await,
        json!({
            "oldestSeq": 1,
            "newestSeq": 13,
            "derivedSeq": 13,
            "events": 2,
            "eventsByOutcome": { "known": 1, "unknown": 1 },
            "eventsByType": { "incomingMessageReceived": 1, "note": 1 },
            "messages": 1,
            "calls": 0,
            "chats": 1,
            "instances": 1,
        })
    );
    let none = stats(&server, "?instance=5").await;
    assert_eq!(
        (&none["events"], &none["instances"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(none["newestSeq"], 13);
}
