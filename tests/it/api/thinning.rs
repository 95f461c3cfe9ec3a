//! `storage.strip_thumbnails_days` from outside: what is removed, what stays, and what readers are told.

use std::time::Duration;

use green_inbox::config::Compression;
use green_inbox::store::{DerivedCheck, verify};
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::retention::DAY;
use super::{entries, list, seqs};
use crate::support::process::PATIENCE;
use crate::support::said::{self, INSTANCE, NOON};
use crate::support::stored::uncompress;
use crate::support::{TestServer, get, next_look, post};

/// A preview that can be told apart from all else.
fn thumbnail(bytes: usize) -> String {
    format!("/9j/{}", "Pq".repeat(bytes / 2))
}

/// A picture with a preview, which quotes another one with a preview.
fn picture(id_message: &str, bytes: usize) -> Value {
    let mut body = said::picture(id_message, NOON, "A bun");
    body["messageData"]["fileMessageData"]["jpegThumbnail"] = thumbnail(bytes).into();
    body["messageData"]["quotedMessage"] = json!({
        "stanzaId": "Q1",
        "participant": said::CHAT,
        "typeMessage": "imageMessage",
        "jpegThumbnail": thumbnail(bytes),
    });
    body
}

/// A body as it must be after its thumbnails of this size are removed.
fn without(body: &str, bytes: usize) -> String {
    body.replace(&thumbnail(bytes), "")
}

async fn event(server: &TestServer, seq: i64) -> Value {
    let path = format!("/api/v1/events/{seq}");
    list(server.private, &path).await.json()
}

/// Waits until the thumbnails of an event are removed.
async fn thinned(server: &TestServer, seq: i64) {
    while event(server, seq).await["thinned"] != true {
        next_look().await;
    }
}

async fn body_of(server: &TestServer, seq: i64) -> (String, String) {
    let answer = get(server.private, &format!("/api/v1/events/{seq}/body")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let tag = answer.header("etag").to_owned();
    (String::from_utf8(answer.body.to_vec()).unwrap(), tag)
}

async fn metric(server: &TestServer, name: &str) -> u64 {
    let answer = get(server.private, "/metrics").await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn thumbnails_of_old_events_are_removed_and_all_else_stays() {
    let server = TestServer::with(|config| config.storage.strip_thumbnails_days = 2).await;
    let mut drifted = picture("A2", 900);
    drifted["senderData"]["senderName"] = json!([1]);
    let unknown = json!({ "typeWebhook": "note", "x": [{ "jpegThumbnail": thumbnail(900) }] });
    // An odd form of JSON, which must stay as it is.
    let odd = picture("A3", 900)
        .to_string()
        .replace("\"jpegThumbnail\":", "\"jpegThumbnail\" :\t");
    let malformed = format!("[{{\"jpegThumbnail\":\"{}\"}}]", thumbnail(900));
    let bodies = [
        picture("A1", 900).to_string(),
        drifted.to_string(),
        odd,
        unknown.to_string(),
        malformed,
        said::text("A4", NOON, "Rye").to_string(),
    ];
    for body in &bodies {
        assert_eq!(post(server.public, body.clone()).await.status, 200);
    }
    // A duplicate is counted in a row that refers to the event.
    post(server.public, bodies[0].clone()).await;
    server.pass(DAY);
    let young = picture("A5", 900).to_string();
    post(server.public, young.clone()).await;
    let before = entries(&server, "/api/v1/events?order=asc").await;
    let messages = entries(&server, "/api/v1/messages").await;
    let tag = body_of(&server, 1).await.1;

    server.pass(DAY + 1);
    thinned(&server, 4).await;
    let after = entries(&server, "/api/v1/events?order=asc").await;
    for (index, (before, after)) in before.iter().zip(&after).enumerate() {
        let mut expected = before.clone();
        if index < 4 {
            expected["thinned"] = true.into();
        }
        assert_eq!(*after, expected);
    }
    for (seq, body) in (1..).zip(&bodies) {
        let expected = match seq {
            5.. => body.clone(),
            _ => without(body, 900),
        };
        assert_eq!(body_of(&server, seq).await.0, expected, "{seq}");
    }
    assert_eq!(body_of(&server, 7).await.0, young);
    assert_ne!(body_of(&server, 1).await.1, tag, "the ETag is of the bytes");
    assert_eq!(entries(&server, "/api/v1/messages").await, messages);
    assert_eq!(before[0]["deliveries"], 2);

    // The original counts as a duplicate, and what is left of it does not.
    let again = post(server.public, bodies[0].clone()).await.json();
    assert_eq!(
        (&again["seq"], &again["repeated"]),
        (&json!(1), &json!(true))
    );
    let other = post(server.public, without(&bodies[0], 900)).await.json();
    assert_eq!(
        (&other["seq"], &other["repeated"]),
        (&json!(8), &json!(false))
    );
    assert_eq!(event(&server, 1).await["deliveries"], 3);

    let of = "green_inbox_retention_thinned";
    assert_eq!(metric(&server, &format!("{of}_events_total")).await, 4);
    let bytes = 7 * thumbnail(900).len() as u64;
    assert_eq!(metric(&server, &format!("{of}_bytes_total")).await, bytes);
}

#[tokio::test]
async fn projection_derived_from_thinned_bodies_serves_the_same() {
    let server = TestServer::start().await;
    for serial in 0..40 {
        post(
            server.public,
            picture(&format!("A{serial}"), 500).to_string(),
        )
        .await;
        let edit = said::edit(
            &format!("E{serial}"),
            NOON + 1,
            &format!("A{serial}"),
            "caption",
            "Two",
        );
        post(server.public, edit.to_string()).await;
    }
    let paths = [
        "/api/v1/messages?limit=500",
        "/api/v1/messages?q=two",
        "/api/v1/chats",
        "/api/v1/events?distinct=true",
    ];
    let mut before = Vec::new();
    for path in paths {
        before.push(entries(&server, path).await);
    }
    // The last event has the setting applied by a reload.
    server.pass(2 * DAY);
    server
        .reload_with(|config| config.storage.strip_thumbnails_days = 1)
        .unwrap();
    thinned(&server, 79).await;
    let path = server.database.clone();
    let folder = server.stop().await;
    let verified = verify(&path, &mut |_, _, _| {}).unwrap();
    assert!(verified.is_good(), "{verified:?}");
    assert!(verified.reparsed.is_empty(), "{verified:?}");
    assert_eq!(verified.derived, DerivedCheck::Same(80));

    std::fs::remove_file(path.with_extension("db.projection")).unwrap();
    let server = TestServer::later(folder, 2 * DAY, |_| {}).await;
    while get(server.private, "/api/v1/chats").await.status != 200 {
        next_look().await;
    }
    for (path, before) in paths.iter().zip(before) {
        let mut after = entries(&server, path).await;
        for event in &mut after {
            event.as_object_mut().unwrap().remove("thinned");
        }
        assert_eq!(after, before, "{path}");
    }
}

#[tokio::test]
async fn bit_rot_in_a_thinned_body_is_found() {
    let server = TestServer::with(|config| config.storage.strip_thumbnails_days = 1).await;
    for id in ["A1", "A2"] {
        post(server.public, picture(id, 300).to_string()).await;
    }
    server.pass(2 * DAY);
    thinned(&server, 2).await;
    let database = Connection::open(&server.database).unwrap();
    uncompress(&database);
    let rot = "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), 'A bun', 'A gun') AS BLOB) WHERE seq = 1";
    assert_eq!(database.execute(rot, []).unwrap(), 1);
    drop(database);
    let damaged = event(&server, 1).await;
    assert_eq!(
        (&damaged["damaged"], &damaged["thinned"]),
        (&json!(true), &json!(true))
    );
    assert!(damaged["body"].is_null());
    let answer = get(server.private, "/api/v1/events/1/body").await;
    assert_eq!(answer.status, 500, "{answer:?}");
    assert!(event(&server, 2).await["damaged"].is_null());
    let verified = verify(&server.database, &mut |_, _, _| {}).unwrap();
    assert_eq!(verified.damaged.to_string(), "1");
}

#[tokio::test]
async fn damaged_body_is_not_thinned() {
    let folder = {
        let server = TestServer::start().await;
        for id in ["A1", "A2"] {
            post(server.public, picture(id, 300).to_string()).await;
        }
        server.stop().await
    };
    let path = folder.path().join("inbox.db");
    let database = Connection::open(&path).unwrap();
    uncompress(&database);
    let rot = "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), 'A bun', 'A gun') AS BLOB) WHERE seq = 1";
    assert_eq!(database.execute(rot, []).unwrap(), 1);
    drop(database);
    let server = TestServer::later(folder, 2 * DAY, |config| {
        config.storage.strip_thumbnails_days = 1;
    })
    .await;
    thinned(&server, 2).await;
    let damaged = event(&server, 1).await;
    assert_eq!(damaged["damaged"], true);
    assert!(damaged["thinned"].is_null(), "{damaged}");
}

/// Stores a picture, and tries again while there is no room. Whether it was stored within `patience`.
async fn finds_room(server: &TestServer, id: &str, patience: Duration) -> bool {
    let body = picture(id, 1400).to_string();
    let deadline = Instant::now() + patience;
    loop {
        match post(server.public, body.clone()).await.status.as_u16() {
            200 => return true,
            503 if Instant::now() < deadline => next_look().await,
            503 => return false,
            other => panic!("{id}: {other}"),
        }
    }
}

#[tokio::test]
async fn space_of_removed_thumbnails_counts_towards_the_budget() {
    // The thumbnails of this test would shrink to nothing.
    let server = TestServer::with(|config| {
        config.storage.max_bytes = 8 * 1024 * 1024;
        config.storage.compression = Compression::None;
    })
    .await;
    let mut stored = 0;
    // A checkpoint may make room for a few more.
    while finds_room(&server, &format!("A{stored}"), Duration::from_millis(500)).await {
        stored += 1;
    }
    assert!(stored > 100, "{stored}");
    server.pass(2 * DAY);
    server
        .reload_with(|config| {
            config.storage.max_bytes = 8 * 1024 * 1024;
            config.storage.compression = Compression::None;
            config.storage.strip_thumbnails_days = 1;
        })
        .unwrap();
    // The thumbnails are most of what is stored.
    for number in 0..stored / 4 {
        let id = format!("B{number}");
        assert!(finds_room(&server, &id, PATIENCE).await, "{id} of {stored}");
    }
    let page = list(server.private, "/api/v1/events?order=asc&limit=1").await;
    assert_eq!(seqs(&page), [1], "nothing was deleted");
}

#[tokio::test]
async fn deleted_events_take_their_thinned_marks_with_them() {
    let server = TestServer::with(|config| {
        config.storage.strip_thumbnails_days = 1;
        config.storage.retention_days = 5;
    })
    .await;
    post(server.public, picture("A1", 300).to_string()).await;
    server.pass(2 * DAY);
    thinned(&server, 1).await;
    server.pass(4 * DAY);
    while !entries(&server, "/api/v1/events").await.is_empty() {
        next_look().await;
    }
    post(
        server.public,
        said::of(INSTANCE, picture("A1", 300)).to_string(),
    )
    .await;
    server.pass(2 * DAY);
    thinned(&server, 2).await;
    let database = Connection::open(&server.database).unwrap();
    let seqs = "SELECT group_concat(seq) FROM thinned";
    let seqs: String = database.query_row(seqs, [], |row| row.get(0)).unwrap();
    assert_eq!(seqs, "2");
    let problems = "SELECT count(*) FROM pragma_foreign_key_check";
    let problems: i64 = database.query_row(problems, [], |row| row.get(0)).unwrap();
    assert_eq!(problems, 0);
}
