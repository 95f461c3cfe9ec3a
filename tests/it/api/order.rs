//! Events that add nothing (poorer versions, other forms of the chat id, empty values) change no
//! message, chat or call, whichever of them arrive and in whatever order.

use serde_json::{Value, json};

use super::history::{story, without_seqs};
use super::{entries, say};
use crate::support::said::{self, CHAT, NOON};
use crate::support::{TestServer, shuffled};

/// Number of orders and subsets tried.
const SEEDS: u64 = 12;

/// The chat's id with a device number, and its id as the protocol itself writes it.
const DEVICE: &str = "79004445566:3@c.us";
const PROTOCOL: &str = "79004445566@s.whatsapp.net";

/// The events that make up the messages, chats and calls.
fn informative() -> Vec<Value> {
    let mut missed = said::call("CALL", NOON + 20, "missed");
    missed["duration"] = 0.into();
    let mut events = story();
    events.extend([
        said::call("CALL", NOON, "offer"),
        missed,
        said::text("PLAIN", NOON + 60, "One loaf"),
        said::status("SPARSE", NOON + 61, "sent"),
        without(said::status("SPARSE", NOON + 62, "delivered"), "", "chatId"),
    ]);
    events
}

/// A body without one of its keys.
fn without(mut body: Value, pointer: &str, key: &str) -> Value {
    let object = body.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
    object.remove(key).unwrap();
    body
}

/// Events that add nothing to them.
fn poorer() -> Vec<Value> {
    let mut picture = said::picture("PICTURE", NOON + 70, "");
    picture["typeWebhook"] = "outgoingAPIMessageReceived".into();
    picture["messageData"]["fileMessageData"]["fileName"] = "".into();
    picture["messageData"]["fileMessageData"]["mimeType"] = Value::Null;
    let mut nameless = said::text("PLAIN", NOON + 71, "One loaf");
    nameless["senderData"]["senderName"] = "".into();
    nameless["senderData"]["chatName"] = "".into();
    vec![
        picture,
        nameless,
        without(
            said::text("PLAIN", NOON + 72, "One loaf"),
            "/senderData",
            "senderName",
        ),
        said::text("PLAIN", NOON + 73, ""),
        said::message(
            "PLAIN",
            NOON + 74,
            json!({ "typeMessage": "textMessage", "textMessageData": {} }),
        ),
        said::within(DEVICE, said::text("PLAIN", NOON + 75, "One loaf")),
        said::within(
            PROTOCOL,
            said::text("LATE", NOON + 76, "Two loaves, please"),
        ),
        // An earlier status again, without the chat or with another form of its id.
        without(said::status("PICTURE", NOON + 5, "delivered"), "", "chatId"),
        said::within(PROTOCOL, said::status("FAILED", NOON + 2, "yellowCard")),
        // A status that is empty or missing.
        said::status("FAILED", NOON + 80, ""),
        without(said::status("PICTURE", NOON + 81, ""), "", "status"),
        said::edit("E4", NOON + 82, "PLAIN", "textMessage", ""),
        without(
            said::edit("E5", NOON + 83, "PICTURE", "caption", ""),
            "/messageData/editedMessageData",
            "caption",
        ),
        said::within(DEVICE, said::call("CALL", NOON, "offer")),
        said::within(PROTOCOL, said::call("CALL", NOON + 10, "offer")),
        without(said::call("CALL", NOON + 11, "offer"), "", "from"),
        without(said::call("CALL", NOON + 12, "offer"), "", "status"),
    ]
}

/// A subset that the seed determines.
fn subset(all: Vec<Value>, seed: u64) -> Vec<Value> {
    let count = all.len();
    let kept = usize::try_from(seed).unwrap() * count / usize::try_from(SEEDS - 1).unwrap();
    shuffled(all, seed ^ 0xa5a5)
        .into_iter()
        .take(kept)
        .collect()
}

/// Every entry of a list without the fields that depend on the order of arrival: seqs, events, and
/// the last message and the name of a chat.
async fn listed(server: &TestServer, path: &str) -> Vec<Value> {
    let mut all: Vec<_> = entries(server, path)
        .await
        .into_iter()
        .map(|mut entry| {
            let members = entry.as_object_mut().unwrap();
            for name in ["events", "lastMessage", "chatName"] {
                members.remove(name);
            }
            without_seqs(entry)
        })
        .collect();
    all.sort_by_key(Value::to_string);
    all
}

/// The messages, the chats and the calls.
async fn shown(server: &TestServer) -> [Vec<Value>; 3] {
    [
        listed(server, "/api/v1/messages?limit=500").await,
        listed(server, "/api/v1/chats").await,
        listed(server, "/api/v1/calls").await,
    ]
}

#[tokio::test]
async fn entities_are_the_same_in_any_order_with_any_poorer_events() {
    let server = TestServer::start().await;
    say(&server, informative()).await;
    let expected = shown(&server).await;
    let ids: Vec<_> = expected[0]
        .iter()
        .map(|message| message["idMessage"].as_str().unwrap())
        .collect();
    assert_eq!(expected[0].len(), 6, "{ids:?}");
    assert_eq!(
        (expected[1].len(), expected[2].len()),
        (1, 1),
        "chats and calls"
    );
    assert_eq!(expected[1][0]["chatId"], CHAT);
    assert_eq!(expected[2][0]["status"], "missed");

    for seed in 0..SEEDS {
        let mut events = informative();
        events.extend(subset(poorer(), seed));
        // Some events arrive again byte for byte.
        events.extend(subset(informative(), seed));
        let server = TestServer::start().await;
        say(&server, shuffled(events, seed)).await;
        for (seen, expected) in shown(&server).await.iter().zip(&expected) {
            assert_eq!(seen.len(), expected.len(), "seed {seed}: {seen:#?}");
            for (seen, expected) in seen.iter().zip(expected) {
                assert_eq!(seen, expected, "seed {seed}");
            }
        }
    }
}
