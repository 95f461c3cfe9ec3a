//! `green-inbox migrate`: a database goes into PostgreSQL and comes back unchanged, also if the command is killed, and
//! whatever would lose or mix events is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::killed_nodes::node;
use crate::killed_postgres::ready;
use crate::postgres::Postgres;
use crate::rig::bodies::Size;
use crate::rig::{Bodies, alone, setting};
use crate::support::process::{PATIENCE, finish, program};
use crate::support::{Connection as Http, Process, get, post};
use hyper::StatusCode;

/// Pause between two looks at how far a copy is.
const LOOK: Duration = Duration::from_millis(2);

fn migrate(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = program();
    command
        .arg("migrate")
        .args(arguments)
        .current_dir(folder)
        .env("GREEN_INBOX__STORAGE__PATH", folder.join("inbox.db"));
    command
}

/// Runs the command, which must end with this code. Returns what it prints.
fn migrated(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = finish(&mut migrate(folder, arguments));
    let bytes = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8(bytes).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

/// Everything that the server has, as `export` prints it.
fn export(server: &Process) -> String {
    let mut command = program();
    command
        .args(["export", "--from", &format!("http://{}", server.private)])
        .current_dir("/");
    let output = finish(&mut command);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

async fn epoch(server: &Process) -> Value {
    get(server.private, "/api/v1/stats").await.json()["epoch"].take()
}

fn stop(mut server: Process) {
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.log.text());
}

fn sqlite(folder: &TempDir) -> Connection {
    Connection::open(folder.path().join("inbox.db")).unwrap()
}

/// A database of one machine: known, malformed and unknown events, duplicates, and an event that was pulled.
async fn database(events: u64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    let bodies = Bodies::new(Size::Mixed);
    let mut connection = Http::open(server.public).await.unwrap();
    for body in ["[", "{\"typeWebhook\":\"newThing\"}", "{\"typeWebhook\":1}"] {
        connection.post(body.into()).await.unwrap();
        connection.post(body.into()).await.unwrap();
    }
    for number in 1..=events {
        connection.post(bodies.body(number)).await.unwrap();
        if number % 10 == 0 {
            connection.post(bodies.body(number)).await.unwrap();
        }
    }
    stop(server);
    let pulled = "INSERT INTO origin VALUES (7, 'pull'), (9, 'journal')";
    sqlite(&folder).execute_batch(pulled).unwrap();
    folder
}

#[test]
fn migrated_database_comes_back_the_same() {
    alone(async {
        let postgres = Postgres::start();
        let folder = database(300).await;
        let single = Process::start(folder.path());
        let (before, old_epoch) = (export(&single), epoch(&single).await);
        assert_eq!(before.lines().count(), 303);
        stop(single);

        let said = migrated(folder.path(), &["--to", &postgres.url()], 0);
        assert!(
            said.contains("303 events were copied") && said.contains("next: set"),
            "{said}"
        );
        let again = migrated(folder.path(), &["--to", &postgres.url()], 0);
        assert!(again.contains("in PostgreSQL already"), "{again}");

        // The same file is the copy of the first node; the second node copies everything.
        let one = node(&folder, &postgres.url());
        let empty = tempfile::tempdir().unwrap();
        let other = node(&empty, &postgres.url());
        for node in [&one, &other] {
            ready(node, StatusCode::OK).await;
            let deadline = Instant::now() + PATIENCE;
            while export(node) != before {
                assert!(
                    Instant::now() < deadline,
                    "the node differs from the database"
                );
            }
            assert_eq!(epoch(node).await, old_epoch, "cursors go on");
        }
        assert!(!one.log.text().contains("rewound"));
        let bodies = Bodies::new(Size::Mixed);
        let repeated = post(other.public, bodies.body(300)).await.json();
        assert_eq!(
            (&repeated["seq"], &repeated["repeated"]),
            (&303.into(), &true.into())
        );
        let fresh = post(other.public, bodies.body(301)).await.json();
        assert_eq!(
            (&fresh["seq"], &fresh["repeated"]),
            (&304.into(), &false.into())
        );
        let after = export(&other);
        stop(one);
        stop(other);

        let back = tempfile::tempdir().unwrap();
        let said = migrated(back.path(), &["--from", &postgres.url()], 0);
        assert!(said.contains("same 304 events up to seq 304"), "{said}");
        let files = fs::read_dir(back.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let names: Vec<String> = names.collect();
        let is_left = names.iter().any(|name| name.contains("migrating"));
        assert!(!is_left, "{names:?}");
        let single = Process::start(back.path());
        assert_eq!(export(&single), after);
        assert_ne!(epoch(&single).await, old_epoch);
        let next = post(single.public, bodies.body(302)).await.json();
        assert_eq!(next["seq"], 305);
        let repeated = post(single.public, bodies.body(302)).await.json();
        assert_eq!(repeated["repeated"], true);
    });
}

#[test]
fn migrated_database_begins_after_what_retention_has_deleted_there_and_back() {
    alone(async {
        let postgres = Postgres::start();
        let folder = database(300).await;
        let age = "UPDATE event SET received_at = received_at - 3 * 86400000 WHERE seq <= 100";
        assert_eq!(sqlite(&folder).execute(age, []).unwrap(), 100);
        let retention = [("GREEN_INBOX__STORAGE__RETENTION_DAYS", "1")];
        let single = Process::with(folder.path(), &retention);
        begins_at_101(&single).await;
        let before = export(&single);
        assert_eq!(before.lines().count(), 203);
        stop(single);

        let said = migrated(folder.path(), &["--to", &postgres.url()], 0);
        assert!(said.contains("203 events"), "{said}");
        let empty = tempfile::tempdir().unwrap();
        for folder in [&folder, &empty] {
            let node = node(folder, &postgres.url());
            ready(&node, StatusCode::OK).await;
            begins_at_101(&node).await;
            let deadline = Instant::now() + PATIENCE;
            while export(&node) != before {
                assert!(Instant::now() < deadline, "the node differs");
            }
            stop(node);
        }
        let back = tempfile::tempdir().unwrap();
        migrated(back.path(), &["--from", &postgres.url()], 0);
        let single = Process::start(back.path());
        begins_at_101(&single).await;
        assert_eq!(export(&single), before);
    });
}

async fn begins_at_101(server: &Process) {
    let deadline = Instant::now() + PATIENCE;
    while get(server.private, "/api/v1/stats").await.json()["oldestSeq"] != 101 {
        assert!(Instant::now() < deadline, "{}", server.log.text());
        sleep(LOOK).await;
    }
}

/// Spawns the command, and kills it as soon as `has_grown`. Returns whether it was killed. PostgreSQL may hold the lock of
/// a killed one for a moment, so a command that is refused is spawned again.
async fn kill_when(command: &mut Command, mut has_grown: impl AsyncFnMut() -> bool) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !has_grown().await {
        if let Some(status) = child.try_wait().unwrap() {
            if status.success() {
                return false;
            }
            child = command.spawn().unwrap();
        }
        assert!(Instant::now() < deadline, "the copy does not grow");
        sleep(LOOK).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

/// `CLUSTER_MIGRATE_EVENTS` sets the number of events: 6000 by default.
#[test]
fn killed_migration_continues() {
    alone(async {
        let postgres = Postgres::start();
        let events = setting("CLUSTER_MIGRATE_EVENTS", 6000);
        let folder = database(events).await;
        let single = Process::start(folder.path());
        let before = export(&single);
        stop(single);
        let url = postgres.url();
        // Makes the schema.
        migrated(tempfile::tempdir().unwrap().path(), &["--from", &url], 2);
        let client = postgres.connect().await;
        let (mut reached, mut kills) = (0_i64, 0);
        while kill_when(&mut migrate(folder.path(), &["--to", &url]), async || {
            let newest = "SELECT coalesce(max(seq), 0) FROM event";
            // The table is not there before the first run.
            let Ok(row) = client.query_one(newest, &[]).await else {
                return false;
            };
            let has_grown = row.get::<_, i64>(0) > reached;
            reached = reached.max(row.get(0));
            has_grown
        })
        .await
        {
            kills += 1;
            assert_eq!(kill_is_visible(&client).await, None, "kill {kills}");
        }
        // A busy machine looks seldom.
        assert!(kills >= 1, "it was never killed");
        println!("migrate --to: {kills} kills, {events} events");
        let said = migrated(folder.path(), &["--to", &url], 0);
        assert!(said.contains("in PostgreSQL already"), "{said}");

        // As if it had been killed between the end in PostgreSQL and that in SQLite.
        sqlite(&folder)
            .execute_batch("DELETE FROM shared_copy")
            .unwrap();
        let said = migrated(folder.path(), &["--to", &url], 0);
        assert!(said.contains("in PostgreSQL already"), "{said}");
        let one = node(&folder, &url);
        ready(&one, StatusCode::OK).await;
        assert_eq!(export(&one), before);
        stop(one);

        let back = tempfile::tempdir().unwrap();
        let unfinished = back.path().join("inbox.db.migrating");
        let (mut size, mut kills) = (0, 0);
        while kill_when(&mut migrate(back.path(), &["--from", &url]), async || {
            let now = size_of(&unfinished) + size_of(&back.path().join("inbox.db.migrating-wal"));
            let has_grown = now > size + 1_000_000;
            size = if has_grown { now } else { size };
            has_grown
        })
        .await
        {
            kills += 1;
            assert!(!back.path().join("inbox.db").exists());
        }
        println!("migrate --from: {kills} kills");
        assert!(kills >= 1, "it was never killed");
        assert!(!unfinished.exists());
        let single = Process::start(back.path());
        assert_eq!(export(&single), before);
    });
}

/// The events that a node would see in a PostgreSQL that is being filled; `None`: it sees none and can store none.
async fn kill_is_visible(client: &tokio_postgres::Client) -> Option<i64> {
    let append = "SELECT seq FROM append_batch(ARRAY['x'::bytea], ARRAY[sha256('x')], ARRAY[1::bigint],
                                               ARRAY[1::bigint], ARRAY[1::bigint], ARRAY['webhook'])";
    let appended = client.query_one(append, &[]).await;
    assert!(
        appended.is_err(),
        "a notification is stored in a part of a copy"
    );
    let head = client.query_opt("SELECT last FROM feed_head", &[]).await;
    head.unwrap().map(|row| row.get(0))
}

fn size_of(path: &PathBuf) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

#[test]
fn migration_that_would_lose_or_mix_events_is_refused() {
    alone(async {
        let postgres = Postgres::start();
        let url = postgres.url();
        let folder = database(20).await;
        let database_of = |name: &str| format!("postgres://inbox@{}/{name}", postgres.host());
        let client = postgres.connect().await;
        for name in ["part", "other"] {
            let create = format!("CREATE DATABASE {name}");
            client.batch_execute(&create).await.unwrap();
        }

        let running = Process::start(folder.path());
        let said = migrated(folder.path(), &["--to", &url], 1);
        assert!(said.contains("in use by another green-inbox"), "{said}");
        let said = migrated(folder.path(), &["--from", &url], 2);
        assert!(said.contains("exists already"), "{said}");
        stop(running);

        let damages = [
            (
                "DELETE FROM event WHERE seq <= 5",
                1,
                "event 1 is missing or damaged",
            ),
            (
                "INSERT INTO thinned SELECT seq, digest FROM event WHERE seq = 5",
                2,
                "thumbnails of the event 5",
            ),
            (
                "UPDATE event SET body = x'00', size = NULL WHERE seq = 6",
                1,
                "event 6 is missing or damaged",
            ),
            (
                "DELETE FROM event WHERE seq = 6",
                1,
                "event 6 is missing or damaged",
            ),
        ];
        for (number, (damage, code, expected)) in damages.into_iter().enumerate() {
            let damaged = tempfile::tempdir().unwrap();
            fs::copy(
                folder.path().join("inbox.db"),
                damaged.path().join("inbox.db"),
            )
            .unwrap();
            sqlite(&damaged).execute_batch(damage).unwrap();
            let name = format!("damaged{number}");
            client
                .batch_execute(&format!("CREATE DATABASE {name}"))
                .await
                .unwrap();
            let said = migrated(damaged.path(), &["--to", &database_of(&name)], code);
            assert!(said.contains(expected) && said.contains("help:"), "{said}");
        }

        // PostgreSQL has a part of another database.
        let second = database(30).await;
        let broken = "UPDATE event SET body = x'00', size = NULL WHERE seq = 33";
        sqlite(&second).execute_batch(broken).unwrap();
        migrated(second.path(), &["--to", &database_of("part")], 1);
        let said = migrated(folder.path(), &["--to", &database_of("part")], 2);
        assert!(said.contains("a part of another database"), "{said}");
        // A node waits.
        let away = tempfile::tempdir().unwrap();
        let mut waiting = crate::support::process::serve(away.path());
        waiting.env("GREEN_INBOX__STORAGE__URL", database_of("part"));
        let mut child = waiting
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let log = crate::support::process::Log::of(child.stderr.take().unwrap());
        log.wait_for(|line| line.contains("a database is being copied into PostgreSQL"));
        child.kill().unwrap();
        child.wait().unwrap();

        // PostgreSQL has events of its own.
        let empty = tempfile::tempdir().unwrap();
        let live = node(&empty, &database_of("other"));
        ready(&live, StatusCode::OK).await;
        let bodies = Bodies::new(Size::Bytes(100));
        assert_eq!(post(live.public, bodies.body(999)).await.json()["seq"], 1);
        let said = migrated(folder.path(), &["--to", &database_of("other")], 2);
        assert!(said.contains("has 1 events already"), "{said}");
        assert_eq!(export(&live).lines().count(), 1);

        let secret = format!("postgres://nobody:swordfish@{}/postgres", postgres.host());
        for way in ["--to", "--from"] {
            let there = tempfile::tempdir().unwrap();
            let at = if way == "--to" { &folder } else { &there };
            let said = migrated(at.path(), &[way, &secret], 2);
            assert!(
                said.contains("refused the user") && !said.contains("swordfish"),
                "{said}"
            );
            let said = migrated(at.path(), &[way, "http://a:swordfish@b"], 2);
            assert!(
                said.contains("not a usable URL") && !said.contains("swordfish"),
                "{said}"
            );
            let said = migrated(at.path(), &[way], 2);
            assert!(said.contains("storage.url: it is not set"), "{said}");
        }
        // Nothing was changed: the database of one machine goes on.
        let single = Process::start(folder.path());
        assert_eq!(export(&single).lines().count(), 23);
    });
}

#[test]
fn copy_of_a_node_that_runs_without_postgresql_starts_a_new_epoch() {
    alone(async {
        let postgres = Postgres::start();
        let folder = tempfile::tempdir().unwrap();
        let bodies = Bodies::new(Size::Bytes(100));
        let shared = node(&folder, &postgres.url());
        ready(&shared, StatusCode::OK).await;
        assert_eq!(post(shared.public, bodies.body(1)).await.json()["seq"], 1);
        let before = epoch(&shared).await;
        stop(shared);
        let single = Process::start(folder.path());
        assert_ne!(epoch(&single).await, before);
        assert_eq!(post(single.public, bodies.body(2)).await.json()["seq"], 2);
        let own = epoch(&single).await;
        stop(single);
        let single = Process::start(folder.path());
        assert_eq!(epoch(&single).await, own, "once");
        stop(single);
        let mut refused = crate::support::process::serve(folder.path());
        let output = finish(refused.env("GREEN_INBOX__STORAGE__URL", postgres.url()));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("has events of its own"), "{said}");
    });
}
