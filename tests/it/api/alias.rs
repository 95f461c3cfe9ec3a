//! One person with two chats, under the phone number and under the identifier that hides it: a filter for either chat
//! finds both.

use serde_json::{Value, json};

use super::{column, entries, say, walk};
use crate::support::TestServer;
use crate::support::said::{self, INSTANCE, NOON};

const LID: &str = "240000000000017@lid";
const PHONE: &str = "79005550017@c.us";
const STRANGER: &str = "79005550018@c.us";
/// The phone number as some notifications have it.
const DEVICE: &str = "79005550017:3@c.us";

/// A text that came in a chat, from a sender.
fn from(chat: &str, sender: &str, id: &str, minute: i64) -> Value {
    let mut body = said::within(chat, said::text(id, NOON + 60 * minute, "warm buns"));
    body["senderData"]["sender"] = sender.into();
    body
}

/// Both chats of one person, ten messages and a call in each, and a chat of somebody else. The first message in the
/// `@lid` chat shows whose it is.
async fn server() -> TestServer {
    let server = TestServer::start().await;
    say(&server, [from(LID, PHONE, "L0", 0)]).await;
    for minute in 1..10 {
        let lid = from(LID, LID, &format!("L{minute}"), minute);
        let phone = from(PHONE, PHONE, &format!("P{minute}"), minute);
        let stranger = from(STRANGER, STRANGER, &format!("S{minute}"), minute);
        say(&server, [lid, phone, stranger]).await;
    }
    for (chat, id) in [(LID, "CL"), (DEVICE, "CP"), (STRANGER, "CS")] {
        say(&server, [said::within(chat, said::call(id, NOON, "offer"))]).await;
    }
    server
}

#[tokio::test]
async fn messages_of_either_chat_are_those_of_both_and_name_the_other_chat() {
    let server = server().await;
    let expected: Vec<_> = (1..10)
        .rev()
        .flat_map(|n| [format!("P{n}"), format!("L{n}")])
        .chain(["L0".to_owned()])
        .collect();
    for chat in [LID, PHONE, DEVICE, "79005550017@s.whatsapp.net"] {
        for instance in [String::new(), format!("&instance={INSTANCE}")] {
            let path = format!("/api/v1/messages?chat={chat}{instance}");
            assert_eq!(
                column(&server, &path, "idMessage").await,
                expected,
                "{path}"
            );
        }
    }
    for message in entries(&server, &format!("/api/v1/messages?chat={LID}")).await {
        let other = if message["chatId"] == LID { PHONE } else { LID };
        assert_eq!(message["aliasOf"], other, "{message}");
    }
    let strange = entries(&server, &format!("/api/v1/messages?chat={STRANGER}")).await;
    assert_eq!(strange.len(), 9);
    assert!(strange.iter().all(|message| message["aliasOf"].is_null()));
    let elsewhere = format!("/api/v1/messages?chat={LID}&instance=9");
    assert_eq!(entries(&server, &elsewhere).await, Vec::<Value>::new());
}

#[tokio::test]
async fn pages_of_both_chats_together_miss_nothing_and_repeat_nothing() {
    let server = server().await;
    for list in ["messages", "events"] {
        for order in ["desc", "asc"] {
            for filter in ["", "&since=2020-01-01T00:00:00Z"] {
                let path = format!("/api/v1/{list}?chat={PHONE}&order={order}&limit=4{filter}");
                let found = walk(&server, &path).await;
                let mut seqs: Vec<_> = found
                    .iter()
                    .map(|entry| entry["seq"].as_i64().unwrap())
                    .collect();
                if order == "desc" {
                    seqs.reverse();
                }
                assert!(
                    seqs.is_sorted_by(|one, next| one < next),
                    "{path}: {seqs:?}"
                );
                assert_eq!(seqs.len(), 19, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn search_and_calls_and_feed_take_either_chat_too() {
    let server = server().await;
    for chat in [LID, PHONE] {
        let found = entries(&server, &format!("/api/v1/messages?chat={chat}&q=buns")).await;
        assert_eq!(found.len(), 19, "{chat}");
        let nothing = format!("/api/v1/messages?chat={chat}&q=...");
        assert_eq!(entries(&server, &nothing).await, Vec::<Value>::new());
        let calls = column(&server, &format!("/api/v1/calls?chat={chat}"), "idMessage").await;
        assert_eq!(calls, json!(["CP", "CL"]).as_array().unwrap().clone());
        let fed = entries(
            &server,
            &format!("/api/v1/events?chat={chat}&after=0&limit=500"),
        )
        .await;
        assert_eq!(fed.len(), 19, "{chat}");
    }
}
