//! Startup with a long migration.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rusqlite::Connection;

use crate::support::process::serve;
use crate::support::{Process, get};

/// Creates a database of the first schema with `events` events.
fn first_schema(path: &std::path::Path, events: i64) {
    let dump = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/faults/fixtures/0001_events.sql"
    );
    let database = Connection::open(path).unwrap();
    database
        .execute_batch(&std::fs::read_to_string(dump).unwrap())
        .unwrap();
    let fill = "
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        INSERT INTO event (received_at, outcome, timestamp, digest, body)
        SELECT 1767225600000 + i, 'unknown', 1767225600 + i % 100000, randomblob(32),
               CAST('{}' AS BLOB) FROM n";
    database.execute(fill, [events]).unwrap();
}

#[tokio::test]
async fn signal_during_a_migration_exits_0_and_the_next_start_completes_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.db");
    first_schema(&path, 1_500_000);
    let mut child = serve(folder.path()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let announcement = lines
        .by_ref()
        .map(Result::unwrap)
        .find(|line| line.contains("migrating the database"));
    assert!(announcement.unwrap().contains("from schema 1 to "));
    let signal = Command::new("kill")
        .args(["-s", "TERM", &child.id().to_string()])
        .status();
    assert!(signal.unwrap().success());
    let rest: Vec<_> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest:?}");
    assert!(
        rest.iter()
            .any(|line| line.contains("stopped before it was ready")),
        "{rest:?}"
    );

    // The interrupted migration left no partial state.
    let server = Process::start(folder.path());
    let newest = get(server.private, "/api/v1/events?limit=1").await.json();
    assert!(newest["data"][0]["seq"].as_i64().unwrap() > 1_500_000);
}
