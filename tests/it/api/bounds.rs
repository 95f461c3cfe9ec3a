//! Every list bounds its pages by bytes as well as by entries, and loses no entry.

use serde_json::{Value, json};

use super::message::place;
use super::{list, next, say, walk};
use crate::support::said::{self, CHAT, INSTANCE, NOON};
use crate::support::{TestServer, get, next_look};

fn padded(mut body: Value, bytes: usize) -> Value {
    body["padding"] = "x".repeat(bytes).into();
    body
}

/// Asserts that the first page has only some of the entries and that all pages together have each
/// entry once.
async fn assert_bounded(server: &TestServer, path: &str, count: usize, key: &str) {
    let first = list(server.private, path).await;
    let entries = first.json()["data"].as_array().unwrap().len();
    assert!(
        (1..count).contains(&entries),
        "{path}: {entries} of {count}"
    );
    assert!(first.json()["nextCursor"].is_string() && next(&first).is_some());
    let all = walk(server, path).await;
    let mut keys: Vec<_> = all.iter().map(|entry| entry[key].to_string()).collect();
    assert_eq!(keys.len(), count, "{path}");
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), count, "{path}");
}

#[tokio::test]
async fn pages_of_every_list_are_bounded_by_bytes() {
    let server = TestServer::start().await;
    for number in 0..12 {
        let chat = format!("7900000{number:04}@c.us");
        let text = said::text(&format!("A{number}"), NOON, "bun");
        let call = said::call(&format!("C{number}"), NOON, "offer");
        let quota = json!({
            "typeWebhook": "quotaExceeded",
            "instanceData": { "idInstance": INSTANCE + 1 + number, "wid": "", "typeInstance": "whatsapp" },
            "timestamp": NOON,
            "quotaData": { "method": "sendMessage", "used": 1, "total": 1, "status": "QUOTE_EXCEEDED" },
        });
        for body in [said::within(&chat, text), said::within(&chat, call), quota] {
            say(&server, [padded(body, 1_000_000)]).await;
        }
    }
    for (path, count, key) in [
        ("/api/v1/events?limit=500&body=true", 36, "seq"),
        ("/api/v1/messages?limit=500", 12, "idMessage"),
        (
            "/api/v1/messages?limit=500&q=bun&order=asc",
            12,
            "idMessage",
        ),
        ("/api/v1/chats?limit=500", 12, "chatId"),
        ("/api/v1/calls?limit=500", 12, "idMessage"),
        ("/api/v1/instances?limit=500", 13, "idInstance"),
    ] {
        assert_bounded(&server, path, count, key).await;
    }
}

#[tokio::test]
async fn message_history_is_bounded_by_bytes_and_continues_with_its_cursor() {
    const EDITS: usize = 36;
    let server = TestServer::start().await;
    say(&server, [said::text("A1", NOON, "bun")]).await;
    // Punctuation: a debug build takes long to index so many words.
    let long = "-".repeat(120_000);
    for number in 0..EDITS {
        let text = format!("{number} {long}");
        say(
            &server,
            [said::edit(
                &format!("E{number}"),
                NOON + 1,
                "A1",
                "textMessage",
                &text,
            )],
        )
        .await;
    }
    // A debug build on a busy machine may need longer than one request waits for the projection.
    while get(server.private, "/api/v1/chats").await.status == 503 {
        next_look().await;
    }
    let (mut path, mut edits, mut pages) = (place(INSTANCE, CHAT, "A1"), Vec::new(), 0);
    loop {
        let answer = get(server.private, &path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.body.len() < 3 * 1024 * 1024, "{}", answer.body.len());
        let page = answer.json();
        assert_eq!(page["idMessage"], "A1");
        for edit in page["edits"].as_array().unwrap() {
            edits.push(edit["idMessage"].as_str().unwrap().to_owned());
        }
        pages += 1;
        let Some(next) = next(&answer) else {
            assert!(page.get("nextCursor").is_none());
            break;
        };
        assert!(page["nextCursor"].is_string());
        path = next;
    }
    let expected: Vec<_> = (0..EDITS).map(|number| format!("E{number}")).collect();
    assert_eq!(edits, expected);
    assert!(pages > 2, "{pages}");
}
