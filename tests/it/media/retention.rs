//! Kept files go with their events.

use super::{file, files_in, keeping, receive, stand_ins};
use crate::support::{Files, TestServer, get};

const DAY: i64 = 24 * 60 * 60 * 1000;

#[tokio::test]
async fn file_is_removed_with_the_last_event_that_names_it() {
    let (green_api, files) = stand_ins().await;
    let server = TestServer::with(|config| {
        keeping(&green_api)(config);
        config.storage.retention_days = 3;
    })
    .await;
    // Two messages with the same bytes, and one with bytes of its own.
    for (id, path) in [("3A01", "/ok/1000/same"), ("3A02", "/ok/1000/own")] {
        let seq = receive(&server, id, &files.url(path)).await;
        file(&server, seq).await;
    }
    server.pass(2 * DAY);
    let last = receive(&server, "3A03", &files.url("/ok/1000/same")).await;
    file(&server, last).await;
    assert_eq!(files_in(&server.database).len(), 2);
    server.pass(2 * DAY);
    super::until(server.private, "/api/v1/events/1", |answer| {
        answer.status == 404
    })
    .await;
    let metrics = |answer: &crate::support::Answer| {
        String::from_utf8_lossy(&answer.body).contains("green_inbox_media_kept_bytes 1000\n")
    };
    super::until(server.private, "/metrics", metrics).await;
    assert_eq!(files_in(&server.database).len(), 1);
    assert_eq!(
        file(&server, last).await.body,
        Files::bytes("/ok/1000/same")
    );
    assert_eq!(
        get(server.private, "/api/v1/events/1/file").await.code(),
        "not-found"
    );
    server.pass(2 * DAY);
    let metrics = |answer: &crate::support::Answer| {
        String::from_utf8_lossy(&answer.body).contains("green_inbox_media_kept_bytes 0\n")
    };
    super::until(server.private, "/metrics", metrics).await;
    assert!(files_in(&server.database).is_empty());
    server.stop().await;
}

#[tokio::test]
async fn file_that_no_event_names_is_removed_at_the_start() {
    let (green_api, files) = stand_ins().await;
    let server = TestServer::with(keeping(&green_api)).await;
    let seq = receive(&server, "3A01", &files.url("/ok/1000/one")).await;
    file(&server, seq).await;
    let kept = files_in(&server.database);
    let folder = server.stop().await;
    // As a kill between the rename and the commit leaves it, and one in the middle of a download.
    let orphan = kept[0].with_file_name("0".repeat(62));
    std::fs::write(&orphan, b"whole").unwrap();
    let incomplete = kept[0]
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("incomplete");
    std::fs::write(incomplete.join(".tmp1"), b"a part").unwrap();
    let server = TestServer::at(folder, keeping(&green_api)).await;
    let seq = receive(&server, "3A02", &files.url("/ok/1000/two")).await;
    file(&server, seq).await;
    assert!(!orphan.exists() && kept[0].exists());
    assert_eq!(std::fs::read_dir(&incomplete).unwrap().count(), 0);
    assert_eq!(files.requests(), ["/ok/1000/one", "/ok/1000/two"]);
    server.stop().await;
}
