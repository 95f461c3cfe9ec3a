//! `green-inbox reprocess`: events that an older version could not parse become known, and the
//! projection equals one built from the new outcomes from the start.

use std::path::Path;
use std::process::Command;

use green_inbox::sample::{self, Values};
use rusqlite::Connection;
use serde_json::Value;

use super::assert_says;
use crate::support::process::{finish, program};
use crate::support::shuffle::shuffled;
use crate::support::{Process, get, post};

/// Paths whose responses are compared before and after. A list waits for the projection, so the events, which
/// have `duplicateOf` only once they are projected, follow the lists.
const PATHS: [&str; 7] = [
    "/api/v1/messages?limit=500",
    "/api/v1/messages?limit=500&q=хлеб*",
    "/api/v1/chats?limit=500",
    "/api/v1/instances?limit=500",
    "/api/v1/calls?limit=500",
    "/api/v1/events?order=asc&limit=500&body=true",
    "/api/v1/stats",
];

async fn answers(server: &Process) -> Vec<Value> {
    let mut answers = Vec::new();
    for address in PATHS {
        let address = address.replace("хлеб", "%D1%85%D0%BB%D0%B5%D0%B1");
        let answer = get(server.private, &address).await;
        assert_eq!(answer.status, 200, "{address}: {answer:?}");
        answers.push(answer.json());
    }
    answers
}

/// Sends every sample in shuffled order, one malformed and one unknown body, and returns the
/// responses of [`PATHS`].
async fn fill(folder: &Path) -> Vec<Value> {
    let mut server = Process::start(folder);
    for sample in shuffled(sample::all(), 4711) {
        let values = Values {
            id_instance: 1_101_000_001,
            serial: 1,
            timestamp: 1_767_225_600,
        };
        assert_eq!(post(server.public, sample.body(&values)).await.status, 200);
    }
    post(server.public, "no json").await;
    post(server.public, r#"{"typeWebhook":"note"}"#).await;
    let answers = answers(&server).await;
    server.signal("TERM");
    assert!(server.wait().success());
    answers
}

/// Makes the database look as if written by a version that knew fewer types.
fn forget(folder: &Path) -> usize {
    let database = Connection::open(folder.join("inbox.db")).unwrap();
    let unknown = "UPDATE event SET outcome = 'unknown', type_message = NULL
                   WHERE outcome = 'known' AND seq % 3 = 0";
    let malformed = "UPDATE event SET outcome = 'malformed', reason = 'an old one', chat_id = NULL,
                     timestamp = NULL WHERE outcome = 'known' AND seq % 3 = 1";
    [unknown, malformed]
        .map(|sql| database.execute(sql, []).unwrap())
        .iter()
        .sum()
}

fn reprocess(folder: &Path) -> Command {
    let mut command = program();
    command
        .arg("reprocess")
        .env("GREEN_INBOX__STORAGE__PATH", folder.join("inbox.db"));
    command
}

fn printed_by(command: &mut Command) -> String {
    let output = finish(command);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{printed}");
    printed
}

#[tokio::test]
async fn reprocess_restores_the_responses_of_a_fresh_parse() {
    let folder = tempfile::tempdir().unwrap();
    let before = fill(folder.path()).await;
    let forgotten = forget(folder.path());
    assert!(forgotten > 100, "{forgotten}");

    let events = &before[PATHS.len() - 1]["events"];
    let dry = printed_by(reprocess(folder.path()).arg("--dry-run"));
    assert_says(
        &dry,
        &format!(
            "{events} events would be parsed again…malformed events would become known…unknown events would become known"
        ),
    );
    // A dry run changes nothing.
    let again = printed_by(reprocess(folder.path()).arg("--dry-run"));
    assert_eq!(again, dry);

    let done = printed_by(&mut reprocess(folder.path()));
    assert_says(
        &done,
        &format!(
            "{events} events were parsed again…malformed events became known…unknown events became known"
        ),
    );
    let nothing = printed_by(&mut reprocess(folder.path()));
    assert_says(&nothing, "all events are up to date");

    let server = Process::start(folder.path());
    let after = answers(&server).await;
    for ((address, before), after) in PATHS.iter().zip(&before).zip(&after) {
        // The new epoch tells readers that events they have read may have changed.
        assert!(before["epoch"].is_null() || before["epoch"] != after["epoch"]);
        let without = |answer: &Value| {
            let mut answer = answer.clone();
            answer.as_object_mut().unwrap().remove("epoch");
            answer
        };
        assert_eq!(without(before), without(after), "{address}");
    }
}

#[tokio::test]
async fn reprocess_refuses_a_database_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    post(server.public, r#"{"typeWebhook":"note"}"#).await;
    let refused = finish(&mut reprocess(folder.path()));
    assert_eq!(refused.status.code(), Some(1));
    let problem = String::from_utf8(refused.stderr).unwrap();
    assert_says(
        &problem,
        "in use by another green-inbox…help: stop the server…--dry-run",
    );
    // A dry run is allowed while the server runs.
    let dry = printed_by(reprocess(folder.path()).arg("--dry-run"));
    assert_says(
        &dry,
        "1 events would be parsed again…all events are up to date",
    );
    assert_eq!(get(server.private, "/api/v1/messages").await.status, 200);
}

#[test]
fn missing_database_exits_2_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let refused = finish(&mut reprocess(folder.path()));
    assert_eq!(refused.status.code(), Some(2));
    let problem = String::from_utf8(refused.stderr).unwrap();
    assert_says(
        &problem,
        "there is no database at…inbox.db…help: set storage.path",
    );
    assert!(!folder.path().join("inbox.db").exists());
}
