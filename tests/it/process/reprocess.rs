//! `green-inbox reprocess`: events that an older version could not parse become known, and the
//! projection equals one built from the new outcomes from the start. A running server does the same.

use std::path::Path;
use std::process::{Command, Stdio};

use green_inbox::sample::{self, Values};
use hyper::Method;
use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use serde_json::Value;

use super::assert_says;
use super::backup::stop;
use crate::support::process::{Log, finish, program};
use crate::support::shuffle::shuffled;
use crate::support::{Process, get, next_look, post, request};

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

/// `reprocess` while this server runs.
fn reprocess_at(folder: &Path, server: &Process) -> Command {
    let mut command = reprocess(folder);
    command.env("GREEN_INBOX__PRIVATE__LISTEN", server.private.to_string());
    command
}

/// Removes the projection, so that the server derives it from the events as they are.
fn delete_projection(folder: &Path) {
    for ending in ["", "-wal", "-shm"] {
        // There may be no WAL.
        let _ = std::fs::remove_file(folder.join(format!("inbox.db.projection{ending}")));
    }
}

/// The rows that parsing decides, of the events up to `last`.
fn parsed_rows(folder: &Path, last: i64) -> Vec<Vec<Sql>> {
    let database = Connection::open(folder.join("inbox.db")).unwrap();
    let mut all = Vec::new();
    for sql in [
        "SELECT * FROM event WHERE seq <= ?1 ORDER BY seq",
        "SELECT * FROM drift WHERE seq <= ?1 ORDER BY seq",
        "SELECT * FROM repeat WHERE seq <= ?1 ORDER BY seq",
    ] {
        let mut statement = database.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([last], |row| {
            (0..columns).map(|column| row.get(column)).collect()
        });
        all.extend(rows.unwrap().map(Result::unwrap));
    }
    all
}

async fn pass(server: &Process, method: Method) -> Value {
    let answer = request(server.private, method, "/api/v1/reprocess", &[], "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Waits until the pass has ended and its result is in the lists.
async fn ended(server: &Process) -> Value {
    loop {
        let pass = pass(server, Method::GET).await;
        if pass["isRunning"] == false && pass["isDeriving"] == false {
            return pass;
        }
        next_look().await;
    }
}

fn assert_verified(folder: &Path) {
    let mut command = program();
    command
        .arg("verify")
        .env("GREEN_INBOX__STORAGE__PATH", folder.join("inbox.db"));
    let said = printed_by(&mut command);
    assert_says(&said, "bodies: all…projection: equals a fresh one");
    assert!(!said.contains("parsed differently"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn running_server_parses_its_events_again_as_the_command_does() {
    let folder = tempfile::tempdir().unwrap();
    let before = fill(folder.path()).await;
    forget(folder.path());
    delete_projection(folder.path());
    let other = tempfile::tempdir().unwrap();
    std::fs::copy(
        folder.path().join("inbox.db"),
        other.path().join("inbox.db"),
    )
    .unwrap();
    let offline = printed_by(&mut reprocess(other.path()));

    let server = Process::start(folder.path());
    let page = get(server.private, "/api/v1/events?limit=5").await;
    let (epoch, cursor) = (
        page.header("green-inbox-epoch").to_owned(),
        page.json()["nextCursor"].as_str().unwrap().to_owned(),
    );
    let unknown = get(server.private, "/api/v1/events?outcome=unknown&limit=500").await;
    assert!(unknown.json()["data"].as_array().unwrap().len() > 30);

    // Notifications are stored meanwhile.
    let mut command = reprocess_at(folder.path(), &server);
    let asked = std::thread::spawn(move || printed_by(&mut command));
    let mut sent = 0;
    while !asked.is_finished() || sent == 0 {
        sent += 1;
        let note = format!("{{\"typeWebhook\":\"later\",\"number\":{sent}}}");
        assert_eq!(post(server.public, note).await.status, 200);
    }
    let asked = asked.join().unwrap();
    // The first line has the number of events, of which there are more.
    let changes = |said: &str| said.split_once('\n').unwrap().1.to_owned();
    assert_eq!(changes(&asked), changes(&offline));

    // A reader that goes on from before is told to start over.
    let next = get(
        server.private,
        &format!("/api/v1/events?limit=5&cursor={cursor}"),
    )
    .await;
    assert_eq!(
        (next.status.as_u16(), next.code().as_str()),
        (409, "feed-rewound")
    );
    assert_ne!(next.header("green-inbox-epoch"), epoch);

    let last = before[PATHS.len() - 1]["newestSeq"].as_i64().unwrap();
    let messages = get(server.private, PATHS[0]).await.json();
    assert_eq!(messages["data"], before[0]["data"]);
    assert_verified(folder.path());
    // Asked again, it changes nothing, and the epoch stays.
    let epoch = next.header("green-inbox-epoch").to_owned();
    let nothing = printed_by(&mut reprocess_at(folder.path(), &server));
    assert_says(
        &nothing,
        "events were parsed again…all events are up to date",
    );
    let page = get(server.private, "/api/v1/events?limit=5").await;
    assert_eq!(page.header("green-inbox-epoch"), epoch);
    stop(server);
    assert_eq!(
        parsed_rows(folder.path(), last),
        parsed_rows(other.path(), last)
    );

    // Bodies that were stored before their type was known are still duplicates.
    let server = Process::start(folder.path());
    for seq in (1..=last).step_by(5) {
        let body = get(server.private, &format!("/api/v1/events/{seq}/body")).await;
        let again = post(server.public, body.body).await.json();
        assert_eq!(again["seq"], seq, "{again}");
    }
}

#[tokio::test]
async fn interrupted_command_and_killed_server_leave_a_pass_that_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path()).await;
    // So many events that a pass takes several steps.
    let copies = "
        INSERT INTO event (received_at, outcome, reason, id_instance, type_instance, type_webhook, type_message,
                           id_message, chat_id, sender, timestamp, digest, body, size)
        SELECT received_at, outcome, reason, id_instance, type_instance, type_webhook, type_message, id_message,
               chat_id, sender, timestamp, digest, body, size FROM event";
    let database = Connection::open(folder.path().join("inbox.db")).unwrap();
    for _ in 0..5 {
        database.execute(copies, []).unwrap();
    }
    drop(database);
    let forgotten = forget(folder.path());
    assert!(forgotten > 3200, "{forgotten}");
    delete_projection(folder.path());

    let mut server = Process::start(folder.path());
    let mut command = reprocess_at(folder.path(), &server)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Log::of(command.stderr.take().unwrap()).wait_for(|line| line.contains("goes on"));
    // Not SIGINT, which a program ignores if the shell started the tests in the background.
    let interrupt = ["-s", "TERM", &command.id().to_string()].map(str::to_owned);
    assert!(
        Command::new("kill")
            .args(interrupt)
            .status()
            .unwrap()
            .success()
    );
    assert!(!command.wait().unwrap().success());
    let mut seen = pass(&server, Method::GET).await;
    while seen["isRunning"] == true && seen["seq"] == 0 {
        seen = pass(&server, Method::GET).await;
    }
    assert_eq!(seen["isRunning"], true, "{seen}");
    server.child.kill().unwrap();
    server.wait();

    let server = Process::start(folder.path());
    let resumed = pass(&server, Method::GET).await;
    assert!(resumed["seq"].as_i64() >= seen["seq"].as_i64(), "{resumed}");
    let done = ended(&server).await;
    let changed: u64 = done["changed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["events"].as_u64().unwrap())
        .sum();
    assert_eq!(changed, forgotten as u64, "{done}");
    assert_eq!(done["events"], done["lastSeq"], "each event was read once");
    assert_verified(folder.path());
    stop(server);
    let nothing = printed_by(reprocess(folder.path()).arg("--dry-run"));
    assert_says(&nothing, "all events are up to date");
}

#[tokio::test]
async fn pass_ends_well_while_retention_deletes_the_same_events() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path()).await;
    forget(folder.path());
    delete_projection(folder.path());
    // Half of the events arrived years ago.
    let database = Connection::open(folder.path().join("inbox.db")).unwrap();
    let old = "UPDATE event SET received_at = received_at - 100000000000
               WHERE seq <= (SELECT max(seq) / 2 FROM event)";
    database.execute(old, []).unwrap();
    let half: i64 = database
        .query_row("SELECT max(seq) / 2 FROM event", [], |row| row.get(0))
        .unwrap();
    drop(database);
    let server = Process::with(
        folder.path(),
        &[("GREEN_INBOX__STORAGE__RETENTION_DAYS", "1000")],
    );
    pass(&server, Method::POST).await;
    ended(&server).await;
    while get(server.private, "/api/v1/stats").await.json()["oldestSeq"] != half + 1 {
        next_look().await;
    }
    assert_verified(folder.path());
}

#[tokio::test]
async fn server_that_cannot_be_asked_is_named_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = [("GREEN_INBOX__PRIVATE__TOKENS", "reader")];
    let server = Process::with(folder.path(), &tokens);
    post(server.public, r#"{"typeWebhook":"note"}"#).await;
    for (token, problem) in [
        (
            "other",
            "a server uses the database, and cannot be asked…help: give the configuration…stop it",
        ),
        (
            "",
            "a server uses the database, and cannot be asked…help: give the configuration…stop it",
        ),
    ] {
        let mut command = reprocess_at(folder.path(), &server);
        if !token.is_empty() {
            command.env("GREEN_INBOX__PRIVATE__TOKENS", token);
        }
        let refused = finish(&mut command);
        assert_eq!(refused.status.code(), Some(1));
        assert_says(&String::from_utf8(refused.stderr).unwrap(), problem);
    }
    let mut command = reprocess_at(folder.path(), &server);
    let done = printed_by(command.envs(tokens));
    assert_says(
        &done,
        "1 events were parsed again…all events are up to date",
    );
    // A dry run does not ask.
    let dry = printed_by(reprocess(folder.path()).arg("--dry-run"));
    assert_says(
        &dry,
        "1 events would be parsed again…all events are up to date",
    );
    let post = request(server.private, Method::POST, "/api/v1/reprocess", &[], "").await;
    assert_eq!(post.status, 401);
}
