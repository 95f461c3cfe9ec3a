//! The disk budget from outside: what is deleted, what is refused, and what readers are told.

use std::fs;
use std::path::Path;

use green_inbox::config::{Compression, WhenFull};
use green_inbox::trouble::Trouble;
use serde_json::{Value, json};

use super::{column, entries, list, say, seqs};
use crate::support::said::{self, INSTANCE, NOON};
use crate::support::{TestServer, get, next_look, post};

/// Milliseconds of a day.
pub(super) const DAY: i64 = 24 * 60 * 60 * 1000;

/// A budget that is reached quickly.
const BUDGET: u64 = 8 * 1024 * 1024;

/// A message with a text of 16 KiB.
fn large(number: usize) -> String {
    let text = format!("{number} {}", "~".repeat(16 * 1024));
    said::text(&format!("L{number}"), NOON, &text).to_string()
}

async fn stats(server: &TestServer) -> Value {
    get(server.private, "/api/v1/stats").await.json()
}

/// Waits until the oldest event has this seq.
async fn oldest_is(server: &TestServer, seq: impl Into<Value>) {
    let seq = seq.into();
    while stats(server).await["oldestSeq"] != seq {
        next_look().await;
    }
}

/// Waits until every event is projected.
async fn projected(server: &TestServer) {
    while get(server.private, "/api/v1/chats").await.status != 200 {
        next_look().await;
    }
}

/// Bytes of the database, the projection and their WALs.
fn files(database: &Path) -> u64 {
    let bytes = |name: String| fs::metadata(name).map_or(0, |found| found.len());
    [
        "",
        "-wal",
        "-shm",
        ".projection",
        ".projection-wal",
        ".projection-shm",
    ]
    .into_iter()
    .map(|ending| bytes(format!("{}{ending}", database.display())))
    .sum()
}

#[tokio::test]
async fn expired_events_are_deleted_and_a_quiet_account_stays_listed() {
    let server = TestServer::with(|config| config.storage.retention_days = 3).await;
    let quiet = INSTANCE + 1;
    say(
        &server,
        [
            said::of(quiet, said::state(NOON, "authorized")),
            said::of(quiet, said::text("Q1", NOON + 5, "A loaf of rye")),
            said::text("A1", NOON, "A bun"),
        ],
    )
    .await;
    let before = entries(&server, "/api/v1/instances").await;
    server.pass(2 * DAY);
    say(&server, [said::text("A2", NOON, "Two buns")]).await;
    server.pass(DAY + 1);
    oldest_is(&server, 4).await;
    assert_eq!(
        column(&server, "/api/v1/messages", "idMessage").await,
        ["A2"]
    );
    assert!(entries(&server, "/api/v1/messages?q=rye").await.is_empty());
    assert_eq!(entries(&server, "/api/v1/chats").await.len(), 1);
    let after = entries(&server, "/api/v1/instances").await;
    assert_eq!(after.len(), 2, "{after:?}");
    assert_eq!(
        after[1], before[1],
        "the state and the newest event stay known"
    );
    assert_eq!(after[1]["state"]["name"], "authorized");
    let counts = stats(&server).await;
    assert_eq!(counts["events"], 1);
    assert_eq!(
        (&counts["oldestSeq"], &counts["newestSeq"]),
        (&json!(4), &json!(4))
    );

    // Restarted without events, the account is still listed, and the next event has the next seq.
    server.pass(3 * DAY);
    oldest_is(&server, Value::Null).await;
    let folder = server.stop().await;
    let server = TestServer::at(folder, |_| {}).await;
    assert_eq!(entries(&server, "/api/v1/instances").await[1], before[1]);
    let answer = post(server.public, said::text("A3", NOON, "Three").to_string()).await;
    assert_eq!(answer.json()["seq"], 5);
}

#[tokio::test]
async fn reader_from_before_the_oldest_event_goes_on_at_the_oldest_and_is_told() {
    let server = TestServer::with(|config| config.storage.retention_days = 1).await;
    let note = |number: i64| json!({ "typeWebhook": "note", "number": number });
    say(&server, (1..=4).map(note)).await;
    let page = list(server.private, "/api/v1/events?order=asc&limit=2").await;
    assert_eq!(page.header("green-inbox-oldest-seq"), "1");
    let cursor = super::next(&page).unwrap();
    server.pass(2 * DAY);
    say(&server, (5..=6).map(note)).await;
    oldest_is(&server, 5).await;
    for path in ["/api/v1/events?after=1", &cursor] {
        let answer = list(server.private, path).await;
        assert_eq!(seqs(&answer), [5, 6], "{path}");
        assert_eq!(answer.json()["oldestSeq"], 5, "{path}");
        assert_eq!(answer.header("green-inbox-oldest-seq"), "5", "{path}");
    }
    assert_eq!(get(server.private, "/api/v1/events/4").await.status, 404);
}

#[tokio::test]
async fn oldest_events_are_dropped_and_the_files_stay_within_the_budget() {
    let server = TestServer::with(|config| {
        config.storage.max_bytes = BUDGET;
        config.storage.compression = Compression::None;
        config.storage.when_full = WhenFull::DropOldest;
    })
    .await;
    let (mut largest, mut refused) = (0, 0);
    for number in 0..700 {
        while post(server.public, large(number)).await.status != 200 {
            refused += 1;
            next_look().await;
        }
        largest = largest.max(files(&server.database));
    }
    let counts = stats(&server).await;
    println!("largest {largest}, refused {refused}, {counts}");
    assert!(largest <= BUDGET, "{largest} bytes");
    assert!(counts["oldestSeq"].as_i64().unwrap() > 100, "{counts}");
    assert_eq!(counts["newestSeq"], 700);
    let newest = column(&server, "/api/v1/messages?limit=1", "idMessage").await;
    assert_eq!(newest, ["L699"]);
    assert!(
        !server
            .troubles
            .current()
            .contains_key(&Trouble::RetentionStuck)
    );
    assert!(server.freed.events_deleted() > 100);
    assert!(server.freed.bytes_freed() > 100 * 16 * 1024);
}

#[tokio::test]
async fn full_budget_is_refused_and_reading_goes_on() {
    let server = TestServer::with(|config| {
        config.storage.max_bytes = BUDGET;
        config.storage.compression = Compression::None;
    })
    .await;
    let mut number = 0;
    let refusal = loop {
        let answer = post(server.public, large(number)).await;
        if answer.status != 200 {
            break answer;
        }
        number += 1;
        assert!(number < 1000, "nothing is refused");
    };
    assert_eq!(
        (refusal.status.as_u16(), refusal.code()),
        (503, "unavailable".to_owned())
    );
    assert_eq!(refusal.header("retry-after"), "60");
    assert!(files(&server.database) <= BUDGET);
    let counts = stats(&server).await;
    assert_eq!(
        (&counts["oldestSeq"], &counts["newestSeq"]),
        (&json!(1), &json!(number))
    );
    assert_eq!(entries(&server, "/api/v1/events?limit=20").await.len(), 20);

    // A larger budget is enough.
    projected(&server).await;
    let folder = server.stop().await;
    let server = TestServer::at(folder, |config| {
        config.storage.max_bytes = 16 * BUDGET;
        config.storage.compression = Compression::None;
    })
    .await;
    // More than the smaller budget, whatever the WAL took of it before.
    for number in number..number + 600 {
        assert_eq!(post(server.public, large(number)).await.status, 200);
    }
    // A budget below what is stored drops the oldest, and gives their space back.
    projected(&server).await;
    let folder = server.stop().await;
    let server = TestServer::at(folder, |config| {
        config.storage.max_bytes = BUDGET;
        config.storage.compression = Compression::None;
        config.storage.when_full = WhenFull::DropOldest;
    })
    .await;
    while stats(&server).await["oldestSeq"] == 1 {
        next_look().await;
    }
    while post(server.public, large(number + 600)).await.status != 200 {
        next_look().await;
    }
    assert!(files(&server.database) <= BUDGET);
}

#[tokio::test]
async fn disk_below_its_mark_is_refused_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let disk = rustix::fs::statvfs(folder.path()).unwrap();
    let free = disk.f_bavail * disk.f_frsize;
    let size = (1 << 30).min(free / 2);
    let ballast = folder.path().join("ballast");
    let server = TestServer::at(folder, |config| {
        config.storage.min_free_bytes = free - size / 2;
    })
    .await;
    say(&server, [said::text("A1", NOON, "A bun")]).await;
    let file = fs::File::create(&ballast).unwrap();
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, size).unwrap();
    let low = |server: &TestServer| server.troubles.current().contains_key(&Trouble::DiskLow);
    while !low(&server) {
        next_look().await;
    }
    let refusal = post(server.public, said::text("A2", NOON, "Two").to_string()).await;
    assert_eq!(
        (refusal.status.as_u16(), refusal.code()),
        (503, "unavailable".to_owned())
    );
    assert_eq!(
        column(&server, "/api/v1/messages", "idMessage").await,
        ["A1"]
    );
    drop(file);
    fs::remove_file(&ballast).unwrap();
    while low(&server) {
        next_look().await;
    }
    say(&server, [said::text("A2", NOON, "Two")]).await;
}

#[tokio::test]
async fn retention_that_frees_nothing_is_a_trouble() {
    let server = TestServer::with(|config| config.storage.retention_days = 1).await;
    say(&server, [said::text("A1", NOON, "A bun")]).await;
    // A trigger that refuses stands for a database that cannot delete.
    let database = rusqlite::Connection::open(&server.database).unwrap();
    database
        .execute_batch(
            "CREATE TRIGGER keep BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'kept'); END",
        )
        .unwrap();
    server.pass(2 * DAY);
    let stuck = |server: &TestServer| {
        server
            .troubles
            .current()
            .contains_key(&Trouble::RetentionStuck)
    };
    while !stuck(&server) {
        next_look().await;
    }
    // Receiving goes on.
    say(&server, [said::text("A2", NOON, "Two")]).await;
    database.execute_batch("DROP TRIGGER keep").unwrap();
    oldest_is(&server, 2).await;
    while stuck(&server) {
        next_look().await;
    }
}
