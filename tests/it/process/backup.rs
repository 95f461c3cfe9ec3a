//! `green-inbox backup`: the copy is a database that serves the same, each run copies only what is new, and a file
//! that is no backup of the database stays as it is.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use green_inbox::sample::{self, Values};
use rusqlite::{Connection, OpenFlags, types::Value as Sql};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::assert_says;
use crate::support::process::{PATIENCE, finish, program};
use crate::support::said::{self, NOON};
use crate::support::shuffle::shuffled;
use crate::support::{Process, get, post};

const PATHS: [&str; 6] = [
    "/api/v1/messages?limit=500",
    "/api/v1/chats?limit=500",
    "/api/v1/instances?limit=500",
    "/api/v1/calls?limit=500",
    "/api/v1/events?order=asc&limit=500&body=true",
    "/api/v1/stats",
];

fn command(folder: &Path, file: &Path) -> Command {
    let mut command = program();
    command
        .arg("backup")
        .arg(file)
        .current_dir(folder)
        .env("GREEN_INBOX__STORAGE__PATH", folder.join("inbox.db"));
    command
}

fn printed(output: &Output) -> String {
    let bytes = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8(bytes).unwrap()
}

/// Runs `backup`, which must succeed, and returns what it prints. The file must be complete by itself.
pub fn backup(folder: &Path, file: &Path) -> String {
    let output = finish(&mut command(folder, file));
    let said = printed(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for ending in ["-wal", "-shm", "-journal", ".partial"] {
        let beside = PathBuf::from(format!("{}{ending}", file.display()));
        assert!(!beside.exists(), "{}", beside.display());
    }
    said
}

fn refused(folder: &Path, file: &Path, code: i32) -> String {
    let output = finish(&mut command(folder, file));
    let said = printed(&output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

pub fn stop(mut server: Process) {
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.log.text());
}

/// Sends every sample, an unknown and a malformed body, and a body with a drifted field. Returns their number.
pub async fn send_samples(server: &Process) -> i64 {
    let values = Values {
        id_instance: 1_101_000_001,
        serial: 1,
        timestamp: 1_767_225_600,
    };
    let mut bodies: Vec<Vec<u8>> = shuffled(sample::all(), 4711)
        .iter()
        .map(|sample| sample.body(&values))
        .collect();
    let mut drifted = said::text("DRIFT", NOON, "crumb");
    drifted["senderData"]["senderName"] = serde_json::json!([1]);
    bodies.extend(
        ["no json", r#"{"typeWebhook":"note"}"#, &drifted.to_string()]
            .map(|body| body.as_bytes().to_vec()),
    );
    let mut newest = 0;
    for body in bodies {
        newest = post(server.public, body).await.json()["seq"]
            .as_i64()
            .unwrap();
    }
    newest
}

async fn send(server: &Process, numbers: std::ops::RangeInclusive<i64>) {
    for number in numbers {
        let message = said::text(&format!("A{number}"), NOON + number, "crumb");
        assert_eq!(
            post(server.public, message.to_string()).await.json()["seq"],
            number
        );
    }
}

pub fn open(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

/// All rows of a statement.
fn rows(path: &Path, sql: &str) -> Vec<Vec<Sql>> {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = database.prepare(sql).unwrap();
    let columns = statement.column_count();
    statement
        .query_map([], |row| {
            (0..columns).map(|column| row.get(column)).collect()
        })
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn number(path: &Path, sql: &str) -> i64 {
    open(path).query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Asserts that the tables of both files are equal. The dedup index of a backup is complete.
fn assert_same(database: &Path, file: &Path) {
    for sql in [
        "SELECT * FROM event ORDER BY seq",
        "SELECT * FROM repeat ORDER BY seq",
        "SELECT * FROM drift ORDER BY seq",
        "SELECT * FROM reader_offset ORDER BY name",
        "SELECT * FROM _sqlx_migrations ORDER BY version",
        "SELECT * FROM sqlite_sequence",
        "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name",
        "SELECT epoch FROM identity",
        "PRAGMA application_id",
    ] {
        assert_eq!(rows(file, sql), rows(database, sql), "{sql}");
    }
    let keys = "SELECT timestamp, substr(digest, 1, 8), seq FROM event
                WHERE timestamp IS NOT NULL ORDER BY 1, 2, 3";
    let index = "SELECT timestamp, prefix, seq FROM event_key ORDER BY 1, 2, 3";
    assert_eq!(rows(file, index), rows(file, keys));
    assert_eq!(
        rows(file, "SELECT seq FROM event_key_progress"),
        rows(file, "SELECT max(seq) FROM event")
    );
}

async fn answers(server: &Process) -> Vec<Value> {
    let mut answers = Vec::new();
    for path in PATHS {
        let answer = get(server.private, path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let mut answer = answer.json();
        answer.as_object_mut().unwrap().remove("epoch");
        answers.push(answer);
    }
    answers
}

#[tokio::test]
async fn backup_of_a_running_server_serves_the_same_events() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    let newest = send_samples(&server).await;
    let again = r#"{"typeWebhook":"note"}"#;
    assert_eq!(post(server.public, again).await.json()["repeated"], true);
    let database = folder.path().join("inbox.db");
    open(&database)
        .execute_batch("INSERT INTO reader_offset SELECT 'alerts', epoch, 7 FROM identity")
        .unwrap();
    let before = answers(&server).await;

    let other = tempfile::tempdir().unwrap();
    let file = other.path().join("made/inbox.db");
    assert_says(
        &backup(folder.path(), &file),
        &format!("{newest} events were copied…complete up to seq {newest}"),
    );
    assert_same(&database, &file);
    assert!(number(&file, "SELECT count(*) FROM drift") > 0);
    stop(server);

    // The restore: start the server on the file.
    let server = Process::start(file.parent().unwrap());
    assert_eq!(answers(&server).await, before);
    let epoch = "SELECT epoch FROM identity";
    assert_ne!(rows(&file, epoch), rows(&database, epoch));
    assert_eq!(
        number(
            &file,
            "SELECT seq FROM reader_offset JOIN identity USING (epoch)"
        ),
        7
    );
    assert_eq!(post(server.public, again).await.json()["repeated"], true);
    let next = said::text("NEXT", NOON, "crumb").to_string();
    assert_eq!(post(server.public, next).await.json()["seq"], newest + 1);
}

#[tokio::test]
async fn second_run_copies_only_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    let (database, file) = (
        folder.path().join("inbox.db"),
        folder.path().join("copy.db"),
    );
    assert_says(
        &backup(folder.path(), &file),
        "0 events were copied…up to seq 0",
    );
    send(&server, 1..=20).await;
    assert_says(
        &backup(folder.path(), &file),
        "20 events were copied…up to seq 20",
    );
    assert_says(
        &backup(folder.path(), &file),
        "0 events were copied…up to seq 20",
    );
    send(&server, 21..=25).await;
    for _ in 0..3 {
        let again = said::text("A3", NOON + 3, "crumb").to_string();
        assert_eq!(post(server.public, again).await.json()["seq"], 3);
    }
    let said = backup(folder.path(), &file);
    assert_says(
        &said,
        "5 events were copied…up to seq 25…1 counts of duplicates",
    );
    assert_same(&database, &file);
    assert_eq!(
        number(&file, "SELECT deliveries FROM repeat WHERE seq = 3"),
        4
    );
    // Without a server too.
    stop(server);
    assert_says(&backup(folder.path(), &file), "0 events were copied");
    assert_same(&database, &file);
}

/// Fills the database of a stopped server with large events, so that a copy takes many slices.
async fn fill_large(folder: &Path, events: i64) {
    let server = Process::start(folder);
    send(&server, 1..=1).await;
    stop(server);
    let database = open(&folder.join("inbox.db"));
    let insert = "
        WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        INSERT INTO event (received_at, outcome, type_webhook, timestamp, digest, body)
        SELECT received_at, 'unknown', 'note', 1000 + i, zeroblob(32), randomblob(100000) FROM n, event
        WHERE seq = 1";
    database.execute(insert, [events]).unwrap();
    let mut digests = database
        .prepare("UPDATE event SET digest = ?2 WHERE seq = ?1")
        .unwrap();
    for seq in 2..=events {
        let body: Vec<u8> = database
            .query_row("SELECT body FROM event WHERE seq = ?1", [seq], |row| {
                row.get(0)
            })
            .unwrap();
        let digest: [u8; 32] = Sha256::digest(&body).into();
        digests.execute((seq, digest)).unwrap();
    }
}

/// Kills a backup once `growing` has more than `bytes`.
fn kill_when_it_grows(command: &mut Command, growing: &Path, bytes: u64) {
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    while fs::metadata(growing).map_or(0, |file| file.len()) <= bytes {
        assert!(Instant::now() < deadline, "the file does not grow");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Events of the large database: 40 MB, ten slices.
const LARGE: i64 = 400;

#[tokio::test]
async fn killed_backup_continues() {
    let folder = tempfile::tempdir().unwrap();
    fill_large(folder.path(), LARGE).await;
    let file = folder.path().join("copy.db");
    let mut left = LARGE;
    // Each time after one more slice.
    for slice in 1..=3 {
        kill_when_it_grows(&mut command(folder.path(), &file), &file, slice * 4_000_000);
        let kept = number(&file, "SELECT count(*) FROM event");
        assert!(kept < LARGE, "the kill came too late");
        assert_eq!(
            open(&file)
                .query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))
                .unwrap(),
            "ok"
        );
        left = LARGE - kept;
    }
    assert!(left < LARGE, "nothing was kept");
    let said = backup(folder.path(), &file);
    assert_says(
        &said,
        &format!("{left} events were copied…up to seq {LARGE}"),
    );
    assert_same(&folder.path().join("inbox.db"), &file);
}

#[tokio::test]
async fn backup_after_reprocess_replaces_the_file_once_the_new_copy_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    fill_large(folder.path(), LARGE).await;
    let (database, file) = (
        folder.path().join("inbox.db"),
        folder.path().join("copy.db"),
    );
    backup(folder.path(), &file);
    let before = fs::read(&file).unwrap();
    // As if an older version had not understood the first message.
    open(&database)
        .execute(
            "UPDATE event SET outcome = 'unknown', id_message = NULL WHERE seq = 1",
            [],
        )
        .unwrap();
    let mut reprocess = program();
    reprocess
        .arg("reprocess")
        .env("GREEN_INBOX__STORAGE__PATH", &database);
    assert_eq!(finish(&mut reprocess).status.code(), Some(0));

    let partial = folder.path().join("copy.db.partial");
    kill_when_it_grows(&mut command(folder.path(), &file), &partial, 5_000_000);
    assert!(
        fs::read(&file).unwrap() == before,
        "the old copy was changed"
    );
    let kept = number(&partial, "SELECT count(*) FROM event");
    assert!((1..LARGE).contains(&kept), "{kept}");
    let said = backup(folder.path(), &file);
    assert_says(
        &said,
        &format!("{} events were copied…replaced by a new copy", LARGE - kept),
    );
    assert_same(&database, &file);
    assert_says(&backup(folder.path(), &file), "0 events were copied");
}

#[tokio::test]
async fn deleted_events_are_deleted_in_the_backup() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    send(&server, 1..=30).await;
    let again = said::text("A3", NOON + 3, "crumb").to_string();
    assert_eq!(post(server.public, again).await.json()["seq"], 3);
    stop(server);
    let (database, file) = (
        folder.path().join("inbox.db"),
        folder.path().join("copy.db"),
    );
    backup(folder.path(), &file);
    for (last, left) in [(12, 18), (30, 0)] {
        let source = open(&database);
        source.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        source
            .execute("DELETE FROM event WHERE seq <= ?1", [last])
            .unwrap();
        drop(source);
        let said = backup(folder.path(), &file);
        assert_says(&said, "0 events were copied…events were deleted");
        assert_eq!(number(&file, "SELECT count(*) FROM event"), left);
        assert_eq!(number(&file, "SELECT count(*) FROM event_key"), left);
        assert_eq!(number(&file, "SELECT count(*) FROM repeat"), 0);
    }
    // The seqs of deleted events are not assigned again.
    let restored = tempfile::tempdir().unwrap();
    fs::copy(&file, restored.path().join("inbox.db")).unwrap();
    let server = Process::start(restored.path());
    send(&server, 31..=31).await;
}

#[tokio::test]
async fn table_of_a_newer_schema_follows_too() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    send(&server, 1..=3).await;
    stop(server);
    let (database, file) = (
        folder.path().join("inbox.db"),
        folder.path().join("copy.db"),
    );
    backup(folder.path(), &file);
    let change = |sql: &str| open(&database).execute_batch(sql).unwrap();
    change(
        "CREATE TABLE small (name TEXT PRIMARY KEY, value INTEGER) STRICT, WITHOUT ROWID;
         INSERT INTO small VALUES ('a', 1), ('b', 2);
         CREATE TABLE marked (seq INTEGER PRIMARY KEY REFERENCES event (seq), mark TEXT) STRICT;
         INSERT INTO marked VALUES (1, 'x'), (3, 'y')",
    );
    let tables = ["SELECT * FROM small", "SELECT * FROM marked"];
    assert_says(&backup(folder.path(), &file), "3 events…replaced");
    change("DELETE FROM small WHERE name = 'a'; UPDATE marked SET mark = 'z' WHERE seq = 3");
    change("DELETE FROM marked WHERE seq = 1; INSERT INTO marked VALUES (2, 'w')");
    assert_says(&backup(folder.path(), &file), "0 events were copied");
    for sql in tables {
        assert_eq!(rows(&file, sql), rows(&database, sql), "{sql}");
    }
}

#[tokio::test]
async fn file_that_is_no_backup_of_this_database_is_refused_and_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    send(&server, 1..=5).await;
    let place = |name: &str| folder.path().join(name);
    let database = place("inbox.db");
    symlink(&database, place("symbolic.db")).unwrap();
    fs::hard_link(&database, place("hard.db")).unwrap();
    for name in [
        "inbox.db",
        "symbolic.db",
        "hard.db",
        "inbox.db-wal",
        "inbox.db-journal",
        "inbox.db.projection",
    ] {
        let said = refused(folder.path(), &place(name), 2);
        assert_says(&said, "is the database itself…help: give another path");
    }
    assert!(!place("inbox.db-journal").exists());
    // The server has not lost its file.
    send(&server, 6..=6).await;

    fs::write(place("text.db"), "flour ".repeat(1000)).unwrap();
    open(&place("foreign.db"))
        .execute_batch("CREATE TABLE bread (a)")
        .unwrap();
    backup(folder.path(), &place("newer.db"));
    open(&place("newer.db"))
        .execute_batch(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'from the future', TRUE, x'00', 0)",
        )
        .unwrap();
    backup(folder.path(), &place("ahead.db"));
    open(&place("ahead.db"))
        .execute_batch("UPDATE event SET seq = 60 WHERE seq = 6")
        .unwrap();
    let other = tempfile::tempdir().unwrap();
    let stranger = Process::start(other.path());
    post(stranger.public, "other bread").await;
    backup(other.path(), &place("other.db"));
    for (name, says) in [
        (
            "text.db",
            "is not a database of green-inbox…help: give the path of a backup",
        ),
        ("foreign.db", "is not a database of green-inbox…help: "),
        ("newer.db", "newer green-inbox (schema 9999)…help: "),
        (
            "ahead.db",
            "it has newer events than the database…help: …keep this file",
        ),
        (
            "other.db",
            "its newest event is another one…help: …keep this file",
        ),
    ] {
        let before = fs::read(place(name)).unwrap();
        assert_says(&refused(folder.path(), &place(name), 2), says);
        assert!(fs::read(place(name)).unwrap() == before, "{name}");
    }

    // A file that a server uses is not touched either.
    let said = refused(folder.path(), &other.path().join("inbox.db"), 1);
    assert_says(&said, "in use by another green-inbox…help: ");
    let empty = tempfile::tempdir().unwrap();
    let said = refused(empty.path(), &place("none.db"), 2);
    assert_says(&said, "there is no database at…help: ");
    assert!(!place("none.db").exists());
}

#[tokio::test]
async fn damaged_event_is_copied_as_it_is_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    send(&server, 1..=5).await;
    let (database, file) = (
        folder.path().join("inbox.db"),
        folder.path().join("copy.db"),
    );
    open(&database)
        .execute("UPDATE event SET body = x'00' WHERE seq IN (2, 4)", [])
        .unwrap();
    let said = refused(folder.path(), &file, 1);
    assert_says(
        &said,
        "5 events were copied…2 events are damaged…seq 2, 4…help: ",
    );
    assert_same(&database, &file);
}
