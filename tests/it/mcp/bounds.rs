//! Answers are bounded in bytes, and nothing is lost between them.

use serde_json::{Value, json};

use super::{call, column, on, read, say, start};
use crate::support::TestServer;
use crate::support::said::{self, CHAT, INSTANCE, NOON};

/// Bytes of an answer on the wire, with what surrounds the entries.
const MOST: usize = 42 * 1024;

#[tokio::test]
async fn full_answer_says_so_and_its_cursor_leads_on() {
    let server = start().await;
    let text = "\"Привет\" \\ ".repeat(300);
    for number in 0..30 {
        say(
            &server,
            [said::text(&format!("A{number}"), NOON + number, &text)],
        )
        .await;
    }
    let mut arguments = json!({ "instance": INSTANCE, "chat": CHAT, "limit": 500, "order": "asc" });
    let mut found = Vec::new();
    let mut answers = 0;
    loop {
        let result = call(&server, "read_chat", arguments.clone()).await;
        assert!(
            result.to_string().len() < MOST,
            "{}",
            result.to_string().len()
        );
        let text = result["content"][0]["text"].as_str().unwrap();
        let answer: Value = serde_json::from_str(text).unwrap();
        answers += 1;
        found.extend(column(&answer, "idMessage"));
        assert_eq!(answer["cut"].is_string(), answer["nextCursor"].is_string());
        if answer["nextCursor"].is_null() {
            break;
        }
        arguments["cursor"] = answer["nextCursor"].clone();
    }
    let expected: Vec<_> = (0..30).map(|number| format!("A{number}")).collect();
    assert_eq!(found, expected);
    assert!(answers > 3, "{answers}");
}

#[tokio::test]
async fn entry_larger_than_an_answer_is_shortened() {
    let server = start().await;
    say(&server, [said::text("A1", NOON, "before")]).await;
    say(&server, [said::text("A2", NOON, &"\u{1}".repeat(100_000))]).await;
    say(&server, [said::text("A3", NOON, "after")]).await;
    let mut arguments = json!({ "instance": INSTANCE, "chat": CHAT, "order": "asc" });
    let first = read(&server, "read_chat", arguments.clone()).await;
    assert_eq!(column(&first, "idMessage"), ["A1"]);
    arguments["cursor"] = first["nextCursor"].clone();
    let result = call(&server, "read_chat", arguments).await;
    assert!(result.to_string().len() < MOST);
    let second: Value =
        serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(column(&second, "idMessage"), ["A2", "A3"]);
    assert!(second["shortened"].is_string());
    assert!(second["data"][0]["text"].as_str().unwrap().ends_with('…'));
}

#[tokio::test]
async fn memory_of_an_answer_is_free_again_once_it_is_sent() {
    let server = TestServer::with(|config| {
        on(config);
        config.private.answer_memory_bytes = 8 * 1024 * 1024;
    })
    .await;
    // An answer reserves twice the bytes of its messages, from a share of 2 MiB.
    say(&server, [said::text("A1", NOON, &"x".repeat(30_000))]).await;
    let arguments = json!({ "instance": INSTANCE, "chat": CHAT });
    for _ in 0..60 {
        let answer = read(&server, "read_chat", arguments.clone()).await;
        assert_eq!(column(&answer, "idMessage"), ["A1"]);
    }
}
