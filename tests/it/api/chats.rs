//! `GET /api/v1/chats`: the newest message of each chat.

use serde_json::{Value, json};

use super::{column, entries, list, next, say, walk};
use crate::support::TestServer;
use crate::support::said::{self, CHAT, INSTANCE, NOON};

const OTHER_INSTANCE: i64 = 7_105_000_002;

/// A text message in chat number `n`.
fn in_chat(n: usize, id: &str) -> Value {
    let mut body = said::within(&format!("7900000{n:04}@c.us"), said::text(id, NOON, "rye"));
    body["senderData"]["chatName"] = format!("chat {n}").into();
    body
}

#[tokio::test]
async fn chat_has_its_newest_message_with_every_field() {
    let server = TestServer::start().await;
    let failed = said::status("A1", NOON + 1, "failed");
    say(&server, [said::text("A1", NOON, "Two loaves"), failed]).await;
    let messages = entries(&server, "/api/v1/messages").await;
    assert_eq!(
        entries(&server, "/api/v1/chats").await,
        [json!({
            "idInstance": INSTANCE,
            "chatId": CHAT,
            "chatName": "Nina the baker",
            "aliasOf": null,
            "lastMessage": messages[0],
        })]
    );
    // An edit changes the last message but does not replace it; a newer message without a chat
    // name leaves the chat without one.
    let edit = said::edit("E1", NOON + 2, "A1", "textMessage", "Three loaves");
    say(&server, [edit]).await;
    let chat = &entries(&server, "/api/v1/chats").await[0];
    assert_eq!(chat["lastMessage"]["text"], "Three loaves");
    say(&server, [said::status("A2", NOON, "sent")]).await;
    let chat = &entries(&server, "/api/v1/chats").await[0];
    assert_eq!(chat["chatName"], Value::Null);
    assert_eq!(chat["lastMessage"]["idMessage"], "A2");
}

#[tokio::test]
async fn newest_chat_is_first_and_a_message_moves_its_chat_to_the_front() {
    let server = TestServer::start().await;
    say(&server, (1..=3).map(|n| in_chat(n, "A1"))).await;
    let names = async || column(&server, "/api/v1/chats", "chatName").await;
    assert_eq!(names().await, ["chat 3", "chat 2", "chat 1"]);
    say(&server, [in_chat(1, "A2")]).await;
    assert_eq!(names().await, ["chat 1", "chat 3", "chat 2"]);
    // A call does not move its chat.
    say(
        &server,
        [said::within(
            "79000000002@c.us",
            said::call("C1", NOON, "offer"),
        )],
    )
    .await;
    assert_eq!(names().await, ["chat 1", "chat 3", "chat 2"]);
}

#[tokio::test]
async fn pages_list_no_chat_twice_while_messages_arrive() {
    let server = TestServer::start().await;
    say(&server, (1..=20).map(|n| in_chat(n, "A1"))).await;
    let quiet = walk(&server, "/api/v1/chats?limit=3").await;
    assert_eq!(quiet.len(), 20);

    let (mut seen, mut path, mut round) = (Vec::new(), "/api/v1/chats?limit=3".to_owned(), 0);
    loop {
        let answer = list(server.private, &path).await;
        for chat in answer.json()["data"].as_array().unwrap() {
            seen.push(chat["chatName"].as_str().unwrap().to_owned());
        }
        // One message in a chat that was listed already and one in a chat that was not.
        round += 1;
        say(
            &server,
            [20 - round, round].map(|n| in_chat(n, &format!("B{round}"))),
        )
        .await;
        match next(&answer) {
            Some(next) => path = next,
            None => break,
        }
    }
    let once: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!(once.len(), seen.len(), "{seen:?}");
    // A chat that moved to the front before its page was read is missed; all others are listed.
    assert!(seen.len() >= 20 - round, "{seen:?}");
    assert!(
        ["chat 20", "chat 12", "chat 9"]
            .iter()
            .all(|name| seen.iter().any(|one| one == name)),
        "{seen:?}"
    );
}

#[tokio::test]
async fn same_chat_in_two_instances_is_two_chats() {
    let server = TestServer::start().await;
    for n in 1..=3 {
        say(
            &server,
            [in_chat(n, "A1"), said::of(OTHER_INSTANCE, in_chat(n, "A1"))],
        )
        .await;
    }
    for (query, names) in [
        (
            "",
            &["chat 3", "chat 3", "chat 2", "chat 2", "chat 1", "chat 1"][..],
        ),
        ("instance=1101000001", &["chat 3", "chat 2", "chat 1"]),
        ("instance=7105000002", &["chat 3", "chat 2", "chat 1"]),
        ("instance=5", &[]),
    ] {
        let path = format!("/api/v1/chats?{query}");
        assert_eq!(column(&server, &path, "chatName").await, names, "{query}");
        let pages = walk(&server, &format!("{path}&limit=1")).await;
        assert_eq!(pages.len(), names.len(), "{query}");
    }
    let of_other = column(&server, "/api/v1/chats?instance=7105000002", "idInstance").await;
    assert_eq!(of_other, [OTHER_INSTANCE; 3]);
}
