//! Damage to the database file: intact events stay readable, and damaged ones are named.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Output;

use rusqlite::Connection;
use serde_json::Value;

use crate::support::process::{finish, program};
use crate::support::said::{self, NOON};
use crate::support::{Process, get, post};

/// Events in a test database. Every sixth body is large enough to need overflow pages.
const EVENTS: i64 = 300;

async fn fill(server: &Process) {
    for number in 1..=EVENTS {
        let text = if number % 6 == 0 {
            "crumb ".repeat(3000)
        } else {
            "crumb".to_owned()
        };
        let message = said::text(&format!("A{number}"), NOON + number, &text);
        assert_eq!(
            post(server.public, message.to_string()).await.json()["seq"],
            number
        );
    }
}

fn database(folder: &Path) -> Connection {
    Connection::open(folder.join("inbox.db")).unwrap()
}

async fn page(server: &Process, query: &str) -> Vec<Value> {
    let answer = get(server.private, &format!("/api/v1/events?limit=500&{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    answer.json()["data"].as_array().unwrap().clone()
}

/// All events, following the cursor page by page, in the order that `query` asks for.
async fn walk(server: &Process, query: &str) -> Vec<Value> {
    let mut path = format!("/api/v1/events?limit=100&{query}");
    let mut all = Vec::new();
    loop {
        let answer = get(server.private, &path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        all.extend(answer.json()["data"].as_array().unwrap().clone());
        let Some(cursor) = answer.json()["nextCursor"].as_str().map(str::to_owned) else {
            return all;
        };
        path = format!("/api/v1/events?limit=100&{query}&cursor={cursor}");
    }
}

fn damaged(events: &[Value]) -> Vec<i64> {
    let is_damaged = |event: &&Value| event["damaged"] == true;
    let seqs = events.iter().filter(is_damaged).map(|event| {
        assert!(event["body"].is_null(), "{event}");
        event["seq"].as_i64().unwrap()
    });
    seqs.collect()
}

fn export(server: &Process, arguments: &[&str]) -> Output {
    let from = format!("http://{}", server.private);
    finish(program().args(["export", "--from", &from]).args(arguments))
}

#[tokio::test]
async fn altered_body_is_reported_damaged_and_the_rest_stays_readable() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    fill(&server).await;
    let flip = "UPDATE event
                SET body = CAST(replace(CAST(body AS TEXT), 'crumb', 'cromb') AS BLOB)
                WHERE seq IN (7, 12)";
    assert_eq!(database(folder.path()).execute(flip, []).unwrap(), 2);

    let body = get(server.private, "/api/v1/events/7/body").await;
    assert_eq!(
        (body.status.as_u16(), body.code().as_str()),
        (500, "damaged")
    );
    assert!(!body.headers.contains_key("etag"));
    let event = get(server.private, "/api/v1/events/7").await.json();
    assert_eq!(
        (&event["damaged"], &event["idMessage"]),
        (&true.into(), &"A7".into())
    );
    assert!(event["body"].is_null());
    // Intact events have no `damaged` field.
    let event = get(server.private, "/api/v1/events/8").await.json();
    assert!(event.get("damaged").is_none() && event["body"].is_object());

    let events = walk(&server, "body=true&order=asc").await;
    assert_eq!(events.len(), 300);
    assert_eq!(damaged(&events), [7, 12]);
    assert_eq!(damaged(&page(&server, "body=true&after=5").await), [7, 12]);
    let filtered = walk(&server, "body=true&type=incomingMessageReceived").await;
    assert_eq!(damaged(&filtered), [12, 7]);
    // Without bodies the list does not read them, so it reports no damage.
    assert_eq!(
        damaged(&page(&server, "order=desc").await),
        Vec::<i64>::new()
    );

    let exported = export(&server, &[]);
    assert_eq!(exported.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(exported.stdout).unwrap().lines().count(),
        300
    );
    let stderr = String::from_utf8(exported.stderr).unwrap();
    super::assert_says(&stderr, "2 events are damaged…seq 7, 12…help: ");
    let rest = export(&server, &["--after", "12"]);
    assert_eq!(rest.status.code(), Some(0));
    assert_eq!(String::from_utf8(rest.stdout).unwrap().lines().count(), 288);
}

#[tokio::test]
async fn undecodable_row_is_reported_damaged_and_lists_continue() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    fill(&server).await;
    let database = database(folder.path());
    database
        .execute_batch("PRAGMA ignore_check_constraints = ON")
        .unwrap();
    let spoil = "UPDATE event SET type_webhook = CAST(x'FF41' AS TEXT) WHERE seq = 5;
                 UPDATE event SET outcome = 'eaten' WHERE seq = 6";
    database.execute_batch(spoil).unwrap();
    for query in ["order=asc", "order=asc&body=true", "after=0&body=true"] {
        assert_eq!(
            seqs_marked_damaged(&page(&server, query).await),
            [5, 6],
            "{query}"
        );
    }
    // The intact columns of a damaged event are still served.
    assert_eq!(
        get(server.private, "/api/v1/events/5").await.json()["idMessage"],
        "A5"
    );
}

fn seqs_marked_damaged(events: &[Value]) -> Vec<i64> {
    let is_damaged = |event: &&Value| event["damaged"] == true;
    events
        .iter()
        .filter(is_damaged)
        .map(|event| event["seq"].as_i64().unwrap())
        .collect()
}

/// Overwrites a page of the `event` table with zeros while no server runs. `kind` is the page
/// type, leaf or overflow.
fn zero_page(folder: &Path, kind: &str) {
    let database = database(folder);
    let pages = "SELECT pageno FROM dbstat WHERE name = 'event' AND pagetype = ?1 ORDER BY pageno";
    let mut statement = database.prepare(pages).unwrap();
    let pages: Vec<u64> = statement
        .query_map([kind], |row| row.get::<_, i64>(0).map(i64::unsigned_abs))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    // Neither the root page nor the last page, which the writer needs.
    let page = pages[pages.len() / 2];
    drop(statement);
    drop(database);
    let file = OpenOptions::new()
        .write(true)
        .open(folder.join("inbox.db"))
        .unwrap();
    file.write_all_at(&[0; 4096], (page - 1) * 4096).unwrap();
}

async fn check_zeroed_page(kind: &str) {
    let folder = tempfile::tempdir().unwrap();
    // The large bodies of this test would shrink to a part of a page.
    let plain = [("GREEN_INBOX__STORAGE__COMPRESSION", "none")];
    let mut server = Process::with(folder.path(), &plain);
    fill(&server).await;
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    zero_page(folder.path(), kind);
    // Delete the projection so that it is rebuilt from the damaged file.
    std::fs::remove_file(folder.path().join("inbox.db.projection")).unwrap();

    let server = Process::start(folder.path());
    let ascending = walk(&server, "body=true&order=asc").await;
    let seqs: Vec<_> = ascending
        .iter()
        .map(|event| event["seq"].as_i64().unwrap())
        .collect();
    assert_eq!(seqs, (1..=EVENTS).collect::<Vec<_>>(), "{kind}");
    let damaged = damaged(&ascending);
    assert!(
        !damaged.is_empty() && damaged.len() < 200,
        "{kind}: {damaged:?}"
    );
    let mut descending = walk(&server, "body=true").await;
    descending.reverse();
    assert_eq!(descending, ascending, "{kind}");
    assert_eq!(
        self::damaged(&page(&server, &format!("body=true&after={}", damaged[0] - 1)).await)[0],
        damaged[0]
    );

    // The log and /readyz report the damage, and notifications are still accepted.
    let line = server
        .log
        .wait_for(|line| line.contains("some stored events cannot be read"));
    assert!(
        line.contains("help:") && line.contains("export") && !line.contains(".projection"),
        "{line}"
    );
    let ready = get(server.private, "/readyz").await;
    assert_eq!(
        (ready.status.as_u16(), ready.code().as_str()),
        (503, "damaged")
    );
    let more = said::text("MORE", NOON, "still warm");
    assert_eq!(
        post(server.public, more.to_string()).await.json()["seq"],
        EVENTS + 1
    );

    // Lists still show all intact events.
    let found = get(server.private, "/api/v1/messages?q=warm").await;
    assert_eq!(found.status, 200, "{kind}: {found:?}");
    assert_eq!(found.json()["data"][0]["idMessage"], "MORE");
    let exported = export(&server, &[]);
    assert_eq!(exported.status.code(), Some(1));
    let stderr = String::from_utf8(exported.stderr).unwrap();
    assert!(
        stderr.contains(&format!("{} events are damaged", damaged.len())),
        "{stderr}"
    );
}

#[tokio::test]
async fn zeroed_leaf_page_damages_only_its_own_events() {
    check_zeroed_page("leaf").await;
}

#[tokio::test]
async fn zeroed_overflow_page_damages_only_its_own_event() {
    check_zeroed_page("overflow").await;
}

/// Alters the stored bytes of the events whose body contains `text`.
fn alter(folder: &Path, text: &str) {
    let altered = database(folder)
        .execute(
            "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), ?1, upper(?1)) AS BLOB)
             WHERE instr(CAST(body AS TEXT), ?1) > 0",
            [text],
        )
        .unwrap();
    assert_eq!(altered, 1, "{text}");
}

async fn list(server: &Process, path: &str) -> Vec<Value> {
    let answer = get(server.private, path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn altered_bytes_never_appear_in_messages_chats_calls_and_instances() {
    let folder = tempfile::tempdir().unwrap();
    // A server that compresses would replace a body that it has read before it was altered.
    let plain = [("GREEN_INBOX__STORAGE__COMPRESSION", "none")];
    let server = Process::with(folder.path(), &plain);
    let call = |status: &str, seconds: i64| {
        serde_json::json!({
            "typeWebhook": "incomingCall",
            "instanceData": { "idInstance": said::INSTANCE, "wid": "", "typeInstance": "whatsapp" },
            "timestamp": NOON + seconds,
            "idMessage": "CALL",
            "status": status,
            "from": said::CHAT,
        })
    };
    let quota = serde_json::json!({
        "typeWebhook": "quotaExceeded",
        "instanceData": { "idInstance": said::INSTANCE, "wid": "", "typeInstance": "whatsapp" },
        "timestamp": NOON,
        "quotaData": { "method": "sendmsg", "used": 3, "total": 3, "status": "spent", "description": "" },
    });
    let bodies = [
        said::text("GOOD", NOON, "whole bread"),
        said::text("CONTENT", NOON + 1, "old bread"),
        said::text("EDITED", NOON + 2, "first text"),
        said::edit("EDIT", NOON + 3, "EDITED", "textMessage", "second text"),
        call("offer", 4),
        call("missed", 5),
        quota,
        said::text("NEWEST", NOON + 6, "newest bread"),
    ];
    for body in bodies {
        assert_eq!(post(server.public, body.to_string()).await.status, 200);
    }
    assert_eq!(list(&server, "/api/v1/messages").await.len(), 4);
    for text in [
        "old bread",
        "second text",
        "missed",
        "sendmsg",
        "newest bread",
    ] {
        alter(folder.path(), text);
    }

    let messages = list(&server, "/api/v1/messages").await;
    let message = |id: &str| {
        messages
            .iter()
            .find(|found| found["idMessage"] == id)
            .unwrap()
    };
    assert!(message("GOOD").get("damaged").is_none());
    assert_eq!(message("GOOD")["text"], "whole bread");
    assert_eq!(message("CONTENT")["damaged"], true);
    assert!(message("CONTENT")["text"].is_null());
    // What an intact event says is still shown.
    assert_eq!(message("EDITED")["damaged"], true);
    assert_eq!(message("EDITED")["text"], "first text");
    let path = format!("/api/v1/messages/{}/{}/EDITED", said::INSTANCE, said::CHAT);
    let history = get(server.private, &path).await.json();
    assert_eq!(history["damaged"], true);
    assert_eq!(history["edits"].as_array().unwrap().len(), 0);
    let chats = list(&server, "/api/v1/chats").await;
    assert_eq!(chats[0]["lastMessage"]["damaged"], true);
    assert!(chats[0]["lastMessage"]["text"].is_null());
    let calls = list(&server, "/api/v1/calls").await;
    assert_eq!(
        (&calls[0]["damaged"], &calls[0]["status"]),
        (&true.into(), &"offer".into())
    );
    assert!(list(&server, "/api/v1/instances").await[0]["quota"].is_null());
    let line = server
        .log
        .wait_for(|line| line.contains("differ from the received ones"));
    assert!(line.contains("help:") && line.contains("verify"), "{line}");
    assert!(!line.to_lowercase().contains("bread"), "{line}");

    // A projection that is derived from altered bytes has nothing from them either.
    let mut server = server;
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    std::fs::remove_file(folder.path().join("inbox.db.projection")).unwrap();
    let server = Process::with(folder.path(), &plain);
    assert_eq!(list(&server, "/api/v1/messages?q=bread").await.len(), 1);
    assert_eq!(list(&server, "/api/v1/events?order=asc").await.len(), 8);
}
