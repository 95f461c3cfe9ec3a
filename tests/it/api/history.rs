//! A message is the same in whatever order its events arrive.

use serde_json::{Value, json};

use super::message::{place, whole};
use super::{column, entries, say};
use crate::support::said::{self, CHAT, INSTANCE, NOON};
use crate::support::{TestServer, shuffled};

/// Number of orders tried.
const SEEDS: u64 = 24;

const NINA: &str = "79004445566@c.us";
const BORIS: &str = "79007778899@c.us";

/// Every kind of event about a picture, a poll, a text that arrived late and a failed message.
pub(super) fn story() -> Vec<Value> {
    let mut picture = said::picture("PICTURE", NOON, "A bun");
    picture["typeWebhook"] = "outgoingAPIMessageReceived".into();
    let mut failed = said::status("PICTURE", NOON + 1, "failed");
    failed["description"] = "SWE004: too many in the group: 128".into();
    vec![
        picture,
        failed,
        said::status("PICTURE", NOON + 2, "sent"),
        said::status("PICTURE", NOON + 3, "delivered"),
        said::status("PICTURE", NOON + 4, "read"),
        // The furthest status wins although it is not the latest.
        said::status("PICTURE", NOON + 5, "delivered"),
        said::edit("E1", NOON + 10, "PICTURE", "textMessage", "A cinnamon bun"),
        said::edit("E2", NOON + 11, "PICTURE", "textMessage", "A warm bun"),
        said::edit("E3", NOON + 12, "PICTURE", "caption", "Two warm buns"),
        said::status("E2", NOON + 13, "sent"),
        said::status("E2", NOON + 14, "read"),
        said::reaction("R1", NOON + 20, "PICTURE", NINA, "🥐"),
        said::reaction("R2", NOON + 21, "PICTURE", NINA, "🍞"),
        said::reaction("R3", NOON + 22, "PICTURE", BORIS, "🥖"),
        said::reaction("R4", NOON + 23, "PICTURE", BORIS, ""),
        said::status("R1", NOON + 24, "delivered"),
        said::deletion("D1", NOON + 30, "PICTURE"),
        said::status("D1", NOON + 31, "sent"),
        said::message(
            "POLL",
            NOON,
            json!({ "typeMessage": "pollMessage",
                "pollMessageData": { "name": "Rye or wheat?", "options": [] } }),
        ),
        said::vote("V1", NOON + 40, "POLL", NINA, &[NINA]),
        said::vote("V2", NOON + 41, "POLL", BORIS, &[BORIS]),
        said::status("V2", NOON + 42, "read"),
        said::text("LATE", NOON, "{{SWE001}}"),
        said::text("LATE", NOON + 50, "Two loaves, please"),
        said::status("FAILED", NOON + 1, "failed"),
        said::status("FAILED", NOON + 3, "noAccount"),
        said::status("FAILED", NOON + 2, "yellowCard"),
    ]
}

/// The same value without its seqs, which depend on the order of arrival.
pub(super) fn without_seqs(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            members.remove("seq");
            for member in members.values_mut() {
                *member = without_seqs(member.take());
            }
        }
        Value::Array(all) => {
            for one in all {
                *one = without_seqs(one.take());
            }
        }
        _ => {}
    }
    value
}

/// Every message with its history, sorted by identifier and without seqs.
async fn all_messages(server: &TestServer) -> Vec<Value> {
    let mut ids = column(server, "/api/v1/messages", "idMessage").await;
    ids.sort_by_key(Value::to_string);
    let mut messages = Vec::new();
    for id in ids {
        let path = place(INSTANCE, CHAT, id.as_str().unwrap());
        messages.push(without_seqs(whole(server, &path).await));
    }
    messages
}

#[tokio::test]
async fn message_is_the_same_in_every_order_of_its_events() {
    let server = TestServer::start().await;
    say(&server, story()).await;
    let expected = all_messages(&server).await;
    let ids: Vec<_> = expected
        .iter()
        .map(|message| &message["idMessage"])
        .collect();
    assert_eq!(ids, ["FAILED", "LATE", "PICTURE", "POLL"]);
    let picture = &expected[2];
    assert_eq!(picture["status"], "read");
    assert_eq!(picture["statusTimestamp"], NOON + 4);
    assert_eq!(picture["file"]["caption"], "Two warm buns");
    assert_eq!(picture["text"], Value::Null);
    assert_eq!(picture["direction"], "outgoingApi");
    assert_eq!(
        (&picture["edited"], &picture["deleted"]),
        (&json!(true), &json!(true))
    );
    let values = |part: &str, name: &str| -> Vec<Value> {
        let all = picture[part].as_array().unwrap();
        all.iter().map(|one| one[name].clone()).collect()
    };
    assert_eq!(
        values("statuses", "status"),
        ["failed", "sent", "delivered", "read", "delivered"]
    );
    assert_eq!(values("edits", "idMessage"), ["E1", "E2", "E3"]);
    assert_eq!(
        values("edits", "text"),
        [json!("A cinnamon bun"), json!("A warm bun"), Value::Null]
    );
    assert_eq!(
        values("edits", "caption"),
        [Value::Null, Value::Null, json!("Two warm buns")]
    );
    assert_eq!(values("deletions", "idMessage"), ["D1"]);
    assert_eq!(
        picture["reactions"],
        json!([{ "timestamp": NOON + 21, "sender": NINA, "reaction": "🍞" }])
    );
    assert_eq!(
        expected[3]["votes"],
        json!([
            { "timestamp": NOON + 40, "sender": NINA,
              "votes": [{ "option": "Rye", "voters": [NINA] }] },
            { "timestamp": NOON + 41, "sender": BORIS,
              "votes": [{ "option": "Rye", "voters": [BORIS] }] },
        ])
    );
    assert_eq!(expected[1]["text"], "Two loaves, please");
    assert_eq!(expected[1]["marker"], Value::Null);
    assert_eq!(
        expected[0]["status"], "noAccount",
        "the latest failure wins"
    );

    for seed in 0..SEEDS {
        println!("seed {seed}");
        let server = TestServer::start().await;
        say(&server, shuffled(story(), seed)).await;
        assert_eq!(all_messages(&server).await, expected, "seed {seed}");
        // Search finds the same messages too.
        for (words, found) in [
            ("two+warm+buns", &["PICTURE"][..]),
            ("cinnamon", &[]),
            ("loaves", &["LATE"]),
            ("SWE001", &[]),
            ("rye", &["POLL"]),
        ] {
            let path = format!("/api/v1/messages?q={words}");
            assert_eq!(
                column(&server, &path, "idMessage").await,
                found,
                "seed {seed}: {words}"
            );
        }
        for (query, found) in [
            ("status=read", &["PICTURE"][..]),
            ("status=delivered", &[]),
            ("status=noAccount", &["FAILED"]),
            ("direction=incoming&typeMessage=textMessage", &["LATE"]),
        ] {
            let path = format!("/api/v1/messages?{query}");
            assert_eq!(
                column(&server, &path, "idMessage").await,
                found,
                "seed {seed}: {query}"
            );
        }
        let chats = column(&server, "/api/v1/chats", "chatId").await;
        assert_eq!(chats, [CHAT], "seed {seed}");
        assert_eq!(
            super::list(server.private, "/api/v1/stats").await.json()["messages"],
            4,
            "seed {seed}"
        );
    }
}

#[tokio::test]
async fn edit_deletion_reaction_or_vote_is_shown_before_its_message() {
    for (body, part, edited, deleted) in [
        (
            said::edit("N1", NOON, "A1", "textMessage", "Three loaves"),
            "edits",
            true,
            false,
        ),
        (said::deletion("N1", NOON, "A1"), "deletions", false, true),
        (
            said::reaction("N1", NOON, "A1", NINA, "🥐"),
            "reactions",
            false,
            false,
        ),
        (
            said::vote("N1", NOON, "A1", NINA, &[NINA]),
            "votes",
            false,
            false,
        ),
    ] {
        let server = TestServer::start().await;
        say(&server, [body]).await;
        let message = whole(&server, &place(INSTANCE, CHAT, "A1")).await;
        assert_eq!(message[part].as_array().unwrap().len(), 1, "{part}");
        assert_eq!(message["edited"], edited, "{part}");
        assert_eq!(message["deleted"], deleted, "{part}");
        let text = if edited {
            json!("Three loaves")
        } else {
            Value::Null
        };
        assert_eq!(message["text"], text, "{part}");
        for name in ["direction", "typeMessage", "sender", "timestamp", "status"] {
            assert_eq!(message[name], Value::Null, "{part}: {name}");
        }
    }
}

#[tokio::test]
async fn status_alone_is_a_message_with_the_direction_from_send_by_api() {
    let server = TestServer::start().await;
    let mut phone = said::status("A2", NOON, "sent");
    phone["sendByApi"] = false.into();
    let mut silent = said::status("A3", NOON, "sent");
    silent.as_object_mut().unwrap().remove("sendByApi");
    say(&server, [said::status("A1", NOON, "sent"), phone, silent]).await;
    assert_eq!(
        column(&server, "/api/v1/messages?order=asc", "direction").await,
        [json!("outgoingApi"), json!("outgoingPhone"), Value::Null]
    );
    for (direction, found) in [("outgoingApi", "A1"), ("outgoingPhone", "A2")] {
        let path = format!("/api/v1/messages?direction={direction}");
        assert_eq!(column(&server, &path, "idMessage").await, [found]);
    }
}

#[tokio::test]
async fn conflicting_send_by_api_values_read_as_outgoing_api() {
    let mut phone = said::status("A1", NOON, "sent");
    phone["sendByApi"] = false.into();
    let api = said::status("A1", NOON + 1, "delivered");
    for order in [[phone.clone(), api.clone()], [api, phone]] {
        let server = TestServer::start().await;
        say(&server, order).await;
        assert_eq!(
            column(&server, "/api/v1/messages", "direction").await,
            ["outgoingApi"]
        );
        let found = column(
            &server,
            "/api/v1/messages?direction=outgoingApi",
            "idMessage",
        )
        .await;
        assert_eq!(found, ["A1"]);
    }
}

#[tokio::test]
async fn status_of_an_edit_is_not_a_message() {
    let edit = || said::edit("E1", NOON, "A1", "textMessage", "Three loaves");
    let statuses = || ["sent", "delivered"].map(|name| said::status("E1", NOON + 1, name));
    for first in [true, false] {
        let server = TestServer::start().await;
        let other = said::within("79007778899@c.us", said::text("B1", NOON, "Good morning"));
        say(&server, [other]).await;
        if first {
            say(&server, [edit()]).await;
            say(&server, statuses()).await;
        } else {
            say(&server, statuses()).await;
            // Until the edit arrives, its status counts as that of a message.
            assert_eq!(entries(&server, "/api/v1/messages").await.len(), 2);
            say(&server, [edit()]).await;
        }
        assert_eq!(
            column(&server, "/api/v1/messages", "idMessage").await,
            ["A1", "B1"]
        );
        assert!(
            entries(&server, "/api/v1/messages?status=delivered")
                .await
                .is_empty()
        );
        let chats = column(&server, "/api/v1/chats", "lastMessage").await;
        let last: Vec<_> = chats.iter().map(|message| &message["idMessage"]).collect();
        assert_eq!(last, ["A1", "B1"]);
    }
}

#[tokio::test]
async fn edit_with_the_identifier_of_its_message_is_an_edit() {
    let edit = said::edit("A1", NOON + 1, "A1", "textMessage", "Three loaves");
    let text = said::text("A1", NOON, "Two loaves");
    for bodies in [[edit.clone(), text.clone()], [text, edit]] {
        let server = TestServer::start().await;
        say(&server, bodies).await;
        let message = whole(&server, &place(INSTANCE, CHAT, "A1")).await;
        assert_eq!(message["text"], "Three loaves");
        assert_eq!(message["edited"], true);
        assert_eq!(message["edits"].as_array().unwrap().len(), 1);
    }
}
