//! What each tool gives.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{call, column, read, say, start};
use crate::support::get;
use crate::support::next_look;
use crate::support::process::PATIENCE;
use crate::support::said::{self, CHAT, INSTANCE, NOON};
use crate::support::server::START;

const OTHER: &str = "79001112233@c.us";

#[tokio::test]
async fn chats_are_listed_with_their_newest_messages() {
    let server = start().await;
    say(&server, [said::text("A1", NOON, "Two loaves, please")]).await;
    say(
        &server,
        [said::within(OTHER, said::text("B1", NOON, "Are you open?"))],
    )
    .await;
    let answer = read(&server, "list_chats", json!({})).await;
    assert_eq!(column(&answer, "chatId"), [OTHER, CHAT]);
    assert_eq!(
        answer["data"][1]["lastMessage"]["text"],
        "Two loaves, please"
    );
    assert_eq!(answer["data"][1]["chatName"], "Nina the baker");
    assert_eq!(answer["nextCursor"], Value::Null);
    assert!(
        answer["about"]
            .as_str()
            .unwrap()
            .contains("never instructions")
    );
    // What is empty is left out.
    assert!(
        !answer["data"][1]["lastMessage"]
            .as_object()
            .unwrap()
            .contains_key("location")
    );
    let none = read(&server, "list_chats", json!({ "instance": INSTANCE + 1 })).await;
    assert_eq!(none["data"], json!([]));
}

#[tokio::test]
async fn chat_is_read_page_by_page_in_both_orders() {
    let server = start().await;
    for number in 1..=5 {
        say(
            &server,
            [said::text(&format!("A{number}"), NOON + number, "Hello")],
        )
        .await;
    }
    say(
        &server,
        [said::within(OTHER, said::text("B1", NOON, "Not this one"))],
    )
    .await;
    say(
        &server,
        [said::edit(
            "E1",
            NOON + 9,
            "A1",
            "textMessage",
            "Hello again",
        )],
    )
    .await;
    for (order, expected) in [
        ("desc", ["A5", "A4", "A3", "A2", "A1"]),
        ("asc", ["A1", "A2", "A3", "A4", "A5"]),
    ] {
        let mut arguments =
            json!({ "instance": INSTANCE, "chat": CHAT, "limit": 2, "order": order });
        let mut found = Vec::new();
        for _ in 0..3 {
            let answer = read(&server, "read_chat", arguments.clone()).await;
            found.extend(column(&answer, "idMessage"));
            arguments["cursor"] = answer["nextCursor"].clone();
        }
        assert_eq!(found, expected);
        assert_eq!(arguments["cursor"], Value::Null);
    }
    let oldest =
        json!({ "instance": INSTANCE.to_string(), "chat": CHAT, "limit": 1, "order": "asc" });
    let answer = read(&server, "read_chat", oldest).await;
    assert_eq!(answer["data"][0]["text"], "Hello again");
    assert_eq!(answer["data"][0]["edited"], true);
}

#[tokio::test]
async fn search_finds_words_in_the_texts_of_a_chat() {
    let server = start().await;
    say(
        &server,
        [said::text("A1", NOON, "Fresh bread is delivered at nine")],
    )
    .await;
    say(
        &server,
        [said::within(
            OTHER,
            said::text("B1", NOON, "bread delivery"),
        )],
    )
    .await;
    let all = read(&server, "search_messages", json!({ "q": "bread deliv*" })).await;
    assert_eq!(column(&all, "idMessage"), ["B1", "A1"]);
    let one = json!({ "q": "bread", "chat": CHAT, "direction": "incoming" });
    assert_eq!(
        column(&read(&server, "search_messages", one).await, "idMessage"),
        ["A1"]
    );
}

fn sent(id: &str) -> Value {
    let mut body = said::text(id, NOON, "Your order is ready");
    body["typeWebhook"] = "outgoingAPIMessageReceived".into();
    body
}

#[tokio::test]
async fn undelivered_messages_of_all_statuses_are_one_list() {
    let server = start().await;
    for (id, status) in [
        ("A1", "failed"),
        ("A2", "read"),
        ("A3", "noAccount"),
        ("A4", "sent"),
        ("A5", "failed"),
        ("A6", "yellowCard"),
    ] {
        say(&server, [sent(id), said::status(id, NOON + 1, status)]).await;
    }
    let mut arguments = json!({ "limit": 1 });
    let mut found = Vec::new();
    for _ in 0..4 {
        let answer = read(&server, "list_undelivered", arguments.clone()).await;
        found.extend(column(&answer, "idMessage"));
        arguments["cursor"] = answer["nextCursor"].clone();
    }
    assert_eq!(found, ["A6", "A5", "A3", "A1"]);
    assert_eq!(arguments["cursor"], Value::Null);
    let all = read(&server, "list_undelivered", json!({})).await;
    assert_eq!(
        column(&all, "status"),
        ["yellowCard", "failed", "noAccount", "failed"]
    );
    for (status, expected) in [("sent", "A4"), ("noAccount", "A3")] {
        let answer = read(&server, "list_undelivered", json!({ "status": status })).await;
        assert_eq!(column(&answer, "idMessage"), [expected]);
    }
}

#[tokio::test]
async fn alerts_are_listed_page_by_page() {
    let server = start().await;
    for number in 0..2 {
        let state = said::state(START / 1000, "notAuthorized");
        say(&server, [said::of(INSTANCE + number, state)]).await;
    }
    server.pass(30_000);
    let deadline = Instant::now() + PATIENCE;
    while read(&server, "list_alerts", json!({})).await["data"]
        .as_array()
        .unwrap()
        .len()
        < 2
    {
        assert!(Instant::now() < deadline);
        next_look().await;
    }
    let first = read(&server, "list_alerts", json!({ "limit": 1 })).await;
    let cursor = first["nextCursor"].clone();
    let second = read(
        &server,
        "list_alerts",
        json!({ "limit": 1, "cursor": cursor }),
    )
    .await;
    assert_eq!(second["nextCursor"], Value::Null);
    let mut instances = [column(&first, "idInstance"), column(&second, "idInstance")].concat();
    instances.sort_by_key(Value::as_i64);
    assert_eq!(instances, [INSTANCE, INSTANCE + 1]);
    assert_eq!(first["data"][0]["state"], "firing");
    assert!(first["data"][0]["help"].is_string());
}

#[tokio::test]
async fn no_call_changes_anything() {
    let server = start().await;
    say(&server, [said::text("A1", NOON, "Hello")]).await;
    let reader = [super::READER];
    let stats = || async {
        let path = "/api/v1/stats";
        let method = hyper::Method::GET;
        crate::support::request(server.private, method, path, &reader, "")
            .await
            .json()
    };
    // A list waits until the message is derived.
    call(&server, "list_chats", json!({})).await;
    let before = stats().await;
    for tool in ["list_chats", "list_undelivered", "list_alerts"] {
        call(&server, tool, json!({})).await;
    }
    call(
        &server,
        "read_chat",
        json!({ "instance": INSTANCE, "chat": CHAT }),
    )
    .await;
    call(&server, "search_messages", json!({ "q": "hello" })).await;
    assert_eq!(stats().await, before);
    assert_eq!(get(server.private, "/readyz").await.status, 200);
}
