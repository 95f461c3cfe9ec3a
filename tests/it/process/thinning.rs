//! Thinning by the real program: kills, `export`, and backups from before and after.

use std::path::Path;
use std::process::Command;

use green_inbox::sample::{self, Values};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use super::backup::{backup, stop};
use crate::support::looks::BETWEEN_LOOKS;
use crate::support::process::{finish, program};
use crate::support::server::START;
use crate::support::{Process, TestServer, get, post};

/// The setting with which a server removes the thumbnails of these events, whose clock showed a day long past.
const STRIP: [(&str, &str); 1] = [("GREEN_INBOX__STORAGE__STRIP_THUMBNAILS_DAYS", "1")];

/// A folder with a database of old events, and their bodies.
async fn old_events(stories: u64) -> (TempDir, Vec<Vec<u8>>) {
    let server = TestServer::start().await;
    let mut bodies = Vec::new();
    for serial in 0..stories {
        let values = Values {
            id_instance: 1_101_000_002,
            serial,
            timestamp: START / 1000,
        };
        for sample in sample::all() {
            let body = sample.body(&values);
            // Some samples have nothing that depends on the serial number.
            if post(server.public, body.clone()).await.json()["repeated"] == false {
                bodies.push(body);
            }
        }
    }
    (server.stop().await, bodies)
}

/// The same JSON with empty thumbnails, at any depth.
fn thin(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if key == "jpegThumbnail" => text.clear(),
                    value => thin(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(thin),
        _ => {}
    }
}

fn thinned(body: &[u8]) -> Value {
    let mut body = serde_json::from_slice(body).unwrap();
    thin(&mut body);
    body
}

/// Number of events whose thumbnails must be removed.
fn count(bodies: &[Vec<u8>]) -> i64 {
    let has_thumbnail =
        |body: &&Vec<u8>| serde_json::from_slice::<Value>(body).unwrap() != thinned(body);
    i64::try_from(bodies.iter().filter(has_thumbnail).count()).unwrap()
}

/// Waits until all thumbnails are removed.
fn wait(path: &Path, expected: i64) {
    let database = Connection::open(path).unwrap();
    let number = || -> i64 {
        let count = "SELECT count(*) FROM thinned";
        database.query_row(count, [], |row| row.get(0)).unwrap()
    };
    while number() < expected {
        std::thread::sleep(BETWEEN_LOOKS);
    }
    assert_eq!(number(), expected);
}

fn command(name: &str, folder: &Path) -> Command {
    let mut command = program();
    command
        .arg(name)
        .current_dir(folder)
        .env("GREEN_INBOX__STORAGE__PATH", folder.join("inbox.db"));
    command
}

fn verified(folder: &Path, file: &Path) -> String {
    let output = finish(command("verify", folder).arg(file));
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("parsed differently"), "{said}");
    said
}

/// The bodies that `export` writes, in the order of their seqs.
fn exported(folder: &Path, server: &Process) -> Vec<Value> {
    let listen = server.private.to_string();
    let output = finish(command("export", folder).env("GREEN_INBOX__PRIVATE__LISTEN", listen));
    assert_eq!(output.status.code(), Some(0));
    let lines = String::from_utf8(output.stdout).unwrap();
    let bodies = lines.lines().map(|line| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["body"].clone()
    });
    bodies.collect()
}

#[tokio::test]
async fn killed_server_goes_on_thinning_and_loses_nothing() {
    let (folder, bodies) = old_events(6).await;
    let path = folder.path().join("inbox.db");
    for _ in 0..8 {
        let mut server = Process::with(folder.path(), &STRIP);
        // Between the start and the first steps, or among them.
        let some = getrandom::u64().unwrap() % 20;
        for number in 0..some {
            let body = format!("{{\"typeWebhook\":\"note\",\"number\":{number}}}");
            assert_eq!(post(server.public, body).await.status, 200);
        }
        server.child.kill().unwrap();
        server.wait();
    }
    let server = Process::with(folder.path(), &STRIP);
    wait(&path, count(&bodies));
    let all = exported(folder.path(), &server);
    for (body, exported) in bodies.iter().zip(&all) {
        assert_eq!(*exported, thinned(body));
    }
    // A duplicate of what was received is recognized. Without a timestamp it is a new event after a day.
    let timed =
        |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["timestamp"].is_number();
    let timed = (1..).zip(&bodies).filter(|(_, body)| timed(body));
    for (seq, body) in timed.step_by(7) {
        let again = post(server.public, body.clone()).await.json();
        assert_eq!(
            (&again["seq"], &again["repeated"]),
            (&seq.into(), &true.into())
        );
    }
    assert_eq!(get(server.private, "/api/v1/chats").await.status, 200);
    let said = verified(folder.path(), &path);
    assert!(said.contains("equals a fresh one"), "{said}");
    stop(server);
}

#[tokio::test]
async fn backups_from_before_and_after_are_good_and_go_on() {
    let (folder, bodies) = old_events(2).await;
    let path = folder.path().join("inbox.db");
    let (before, after) = (
        folder.path().join("before.db"),
        folder.path().join("after.db"),
    );
    backup(folder.path(), &before);
    let server = Process::with(folder.path(), &STRIP);
    wait(&path, count(&bodies));
    post(server.public, r#"{"typeWebhook":"note"}"#).await;
    let said = backup(folder.path(), &before);
    assert!(said.contains("1 events were copied"), "{said}");
    backup(folder.path(), &after);
    stop(server);
    for file in [&before, &after] {
        verified(folder.path(), file);
    }
    let number = |file: &Path, sql: &str| -> i64 {
        let database = Connection::open(file).unwrap();
        database.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let marks = "SELECT count(*) FROM thinned";
    assert_eq!(number(&before, marks), 0, "the copy has the originals");
    assert_eq!(number(&after, marks), count(&bodies));

    // Restored, the first is thinned again, and both serve the same.
    for file in [before, after] {
        let place = tempfile::tempdir().unwrap();
        std::fs::rename(&file, place.path().join("inbox.db")).unwrap();
        let server = Process::with(place.path(), &STRIP);
        wait(&place.path().join("inbox.db"), count(&bodies));
        let all = exported(place.path(), &server);
        assert_eq!(all.len(), bodies.len() + 1);
        for (body, exported) in bodies.iter().zip(&all) {
            assert_eq!(*exported, thinned(body));
        }
        stop(server);
        // `reprocess` changes nothing.
        let output = finish(&mut command("reprocess", place.path()));
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("all events are up to date"), "{said}");
    }
}

#[tokio::test]
async fn thinned_event_that_is_reprocessed_still_recognizes_its_duplicate() {
    let (folder, bodies) = old_events(1).await;
    let path = folder.path().join("inbox.db");
    let server = Process::with(folder.path(), &STRIP);
    wait(&path, count(&bodies));
    stop(server);
    // As if written by a version that knew less.
    let database = Connection::open(&path).unwrap();
    let forget = "UPDATE event SET outcome = 'unknown', timestamp = NULL WHERE seq IN (SELECT seq FROM thinned)";
    let forgotten = database.execute(forget, []).unwrap();
    assert_eq!(i64::try_from(forgotten).unwrap(), count(&bodies));
    database.execute("DELETE FROM event_key", []).unwrap();
    // Events up to the newest one are not indexed again at the start.
    let indexed = "UPDATE event_key_progress SET seq = (SELECT max(seq) FROM event)";
    database.execute(indexed, []).unwrap();
    let thinned: Vec<i64> = database
        .prepare("SELECT seq FROM thinned")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    drop(database);
    let output = finish(&mut command("reprocess", folder.path()));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains("damaged"), "{said}");
    assert!(said.contains("unknown events became known"), "{said}");
    let server = Process::with(folder.path(), &STRIP);
    for seq in thinned {
        let body = bodies[usize::try_from(seq).unwrap() - 1].clone();
        let again = post(server.public, body).await.json();
        assert_eq!(
            (&again["seq"], &again["repeated"]),
            (&seq.into(), &true.into())
        );
    }
    verified(folder.path(), &path);
}
