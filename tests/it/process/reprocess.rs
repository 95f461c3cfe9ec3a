//! `green-inbox reprocess`: what an older version did not understand is understood now, and what is
//! derived from it is what would have been derived at once.

use std::path::Path;
use std::process::Command;

use green_inbox::sample::{self, Values};
use rusqlite::Connection;
use serde_json::Value;

use super::assert_says;
use crate::support::process::{finish, program};
use crate::support::shuffle::shuffled;
use crate::support::{Process, get, post};

/// What is read of a server, whatever came of it.
const ASKED: [&str; 7] = [
    "/api/v1/events?order=asc&limit=500&body=true",
    "/api/v1/messages?limit=500",
    "/api/v1/messages?limit=500&q=хлеб*",
    "/api/v1/chats?limit=500",
    "/api/v1/instances?limit=500",
    "/api/v1/calls?limit=500",
    "/api/v1/stats",
];

async fn answers(server: &Process) -> Vec<Value> {
    let mut answers = Vec::new();
    for address in ASKED {
        let address = address.replace("хлеб", "%D1%85%D0%BB%D0%B5%D0%B1");
        let answer = get(server.private, &address).await;
        assert_eq!(answer.status, 200, "{address}: {answer:?}");
        answers.push(answer.json());
    }
    answers
}

/// Every sample, in an order of chance, and what is neither known nor sound.
async fn filled(folder: &Path) -> Vec<Value> {
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

/// Makes the database that of a version that knew fewer types.
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

fn said(command: &mut Command) -> String {
    let output = finish(command);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    said
}

#[tokio::test]
async fn what_was_not_understood_is_understood_and_all_answers_are_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let before = filled(folder.path()).await;
    let forgotten = forget(folder.path());
    assert!(forgotten > 100, "{forgotten}");

    let events = &before[ASKED.len() - 1]["events"];
    let dry = said(reprocess(folder.path()).arg("--dry-run"));
    assert_says(
        &dry,
        &format!(
            "{events} events would be parsed again…malformed ones would become known…unknown ones would become known"
        ),
    );
    // Nothing was changed by that.
    let again = said(reprocess(folder.path()).arg("--dry-run"));
    assert_eq!(again, dry);

    let done = said(&mut reprocess(folder.path()));
    assert_says(
        &done,
        &format!(
            "{events} events were parsed again…malformed ones became known…unknown ones became known"
        ),
    );
    let nothing = said(&mut reprocess(folder.path()));
    assert_says(&nothing, "nothing is read otherwise now");

    let server = Process::start(folder.path());
    let after = answers(&server).await;
    for ((address, before), after) in ASKED.iter().zip(&before).zip(&after) {
        // Readers are told that what they have read may be read otherwise now.
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
async fn a_server_that_runs_is_left_alone() {
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
    // To look is allowed.
    let dry = said(reprocess(folder.path()).arg("--dry-run"));
    assert_says(
        &dry,
        "1 events would be parsed again…nothing is read otherwise now",
    );
    assert_eq!(get(server.private, "/api/v1/messages").await.status, 200);
}

#[test]
fn a_database_that_is_not_there_is_named() {
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
