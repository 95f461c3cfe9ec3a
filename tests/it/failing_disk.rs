//! After the file has failed, the program does not go on: what it has in memory may not be true.

use std::fs::OpenOptions;

use serde_json::json;

use crate::support::client::try_request;
use crate::support::{Process, TOKEN, get, post};

/// What another connection writes makes the server read its pages again, and then they are gone.
#[tokio::test]
async fn a_database_that_cannot_be_read_ends_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Process::start(folder.path());
    let body = json!({"typeWebhook": "stateInstanceChanged"}).to_string();
    assert_eq!(post(server.public, body).await.status, 200);
    assert_eq!(get(server.private, "/readyz").await.status, 200);

    let database = folder.path().join("inbox.db");
    let other = rusqlite::Connection::open(&database).unwrap();
    other.execute_batch("CREATE TABLE other (a)").unwrap();
    let log = folder.path().join("inbox.db-wal");
    OpenOptions::new()
        .write(true)
        .open(log)
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
    // It may be gone before it can answer, but it never says 200.
    if let Ok(answer) = answer {
        assert_eq!(answer.status, 503);
    }
    assert_eq!(server.wait().code(), Some(1));
    server
        .log
        .wait_for(|line| line.contains("cannot be trusted"));
}
