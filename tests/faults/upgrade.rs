//! Upgrade: a database written by an earlier version opens and gives the same responses.
//!
//! `fixtures/` holds, for each migration, a dump of a database and the responses of the version
//! that wrote it. Each new migration adds a pair; existing pairs stay unchanged. Tests in
//! `tests/it` cover the refusal of a newer schema.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;

use crate::rig::alone;
use crate::rig::database::{NAME, beside, integrity, number};
use crate::support::{Process, get, post};

#[test]
fn every_earlier_schema_gives_the_same_responses() {
    alone(async {
        for name in migrations() {
            upgrade(&name).await;
        }
    });
}

/// The names of the migrations, without their ending.
fn migrations() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "sql"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn fixture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/fixtures");
    let path = folder.join(name);
    assert!(path.exists(), "{} is missing", path.display());
    path
}

async fn upgrade(name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let dump = fs::read_to_string(fixture(&format!("{name}.sql"))).unwrap();
    let database = Connection::open(folder.path().join(NAME)).unwrap();
    database.execute_batch(&dump).unwrap();
    let last: i64 = number(&database, "SELECT seq FROM sqlite_sequence");
    drop(database);

    let server = Process::start(folder.path());
    let answers = fs::read(fixture(&format!("{name}.json"))).unwrap();
    let answers: Value = serde_json::from_slice(&answers).unwrap();
    let answers = answers["data"].as_array().unwrap();
    // A list waits for the projection, without which events have no `duplicateOf`.
    assert_eq!(
        get(server.private, "/api/v1/chats").await.status,
        200,
        "{name}"
    );
    let page = get(server.private, "/api/v1/events?order=asc&body=true").await;
    let page = page.json();
    let events = page["data"].as_array().unwrap();
    assert_eq!(events.len(), answers.len(), "{name}");
    for (event, answer) in events.iter().zip(answers) {
        // Newer versions may add fields, but existing fields must not change.
        for (key, value) in answer.as_object().unwrap() {
            assert_eq!(event[key], *value, "{name}: {key} of {}", answer["seq"]);
        }
        let path = format!("/api/v1/events/{}/body", answer["seq"]);
        let body = get(server.private, &path).await.body;
        // A body stored before the upgrade is recognized as a duplicate.
        if answer["timestamp"].is_number() {
            let again = post(server.public, body).await.json();
            assert_eq!(again["repeated"], true, "{name}: {answer}");
            assert_eq!(again["seq"], answer["seq"], "{name}");
        }
    }
    // The newest row was deleted in the fixture; its seq must not be reused.
    let next = post(server.public, r#"{"typeWebhook":"afterwards"}"#).await;
    assert_eq!(next.json()["seq"], last + 1, "{name}");
    assert_eq!(integrity(&beside(folder.path())), "ok", "{name}");
    println!("{name}: {} events as before", events.len());
}
