//! After a failed read of the database file the program exits: its memory may no longer match
//! the disk.

use std::fs::OpenOptions;

use serde_json::json;

use crate::support::client::try_request;
use crate::support::{Process, TOKEN, get, post};

/// A write by another connection makes the server reread its pages from the WAL, which the test
/// has truncated.
#[tokio::test]
async fn unreadable_database_ends_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Process::start(folder.path());
    let body = json!({"typeWebhook": "stateInstanceChanged"}).to_string();
    assert_eq!(post(server.public, body).await.status, 200);
    assert_eq!(get(server.private, "/readyz").await.status, 200);

    let database = folder.path().join("inbox.db");
    let other = rusqlite::Connection::open(&database).unwrap();
    other.execute_batch("CREATE TABLE other (a)").unwrap();
    let wal = folder.path().join("inbox.db-wal");
    OpenOptions::new()
        .write(true)
        .open(wal)
        .unwrap()
        .set_len(0)
        .unwrap();

    let headers = [("authorization", TOKEN)];
    let answer = try_request(
        server.public,
        hyper::Method::POST,
        "/webhook",
        &headers,
        "{}",
    )
    .await;
    // The server may exit before it responds, but it must never respond 200.
    if let Ok(answer) = answer {
        assert_eq!(answer.status, 503);
    }
    assert_eq!(server.wait().code(), Some(1));
    server
        .log
        .wait_for(|line| line.contains("cannot be trusted"));
}
