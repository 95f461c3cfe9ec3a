//! Alerts about damage and the projection: what exactly they say, and from when on.

use rusqlite::Connection;

use super::{MINUTE, knock, say, server};
use crate::support::said::{self, NOON};
use crate::support::{Sink, get};

#[tokio::test]
async fn damaged_body_is_reported_with_its_seq() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    for id in ["A1", "A2"] {
        say(&server, &said::text(id, NOON, "Good morning")).await;
    }
    Connection::open(&server.database)
        .unwrap()
        .execute("UPDATE event SET body = x'00' WHERE seq = 2", [])
        .unwrap();
    let body = async |seq| {
        let path = format!("/api/v1/events/{seq}/body");
        get(server.private, &path).await.status
    };
    assert_eq!(body(1).await, 200);
    knock(&server).await;
    sink.alert("token-rejected", "firing").await;
    assert_eq!(sink.count("damaged-body", "firing"), 0);
    assert_eq!(body(2).await, 500);
    let alert = sink.alert("damaged-body", "firing").await;
    assert_eq!(alert["severity"], "critical");
    let summary = alert["summary"].as_str().unwrap();
    assert!(summary.contains("event 2 "), "{summary}");
    server.stop().await;
}

#[tokio::test]
async fn projection_that_does_not_advance_is_reported_with_its_position_after_half_a_minute() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    // A program that holds the lock of the projection.
    let projection = format!("{}.projection", server.database.display());
    let other = Connection::open(projection).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    say(&server, &said::text("A1", NOON, "Good morning")).await;
    knock(&server).await;
    sink.alert("token-rejected", "firing").await;
    assert_eq!(sink.count("projection-behind", "firing"), 0);
    server.pass(MINUTE);
    let alert = sink.alert("projection-behind", "firing").await;
    assert_eq!(alert["severity"], "warning");
    let summary = alert["summary"].as_str().unwrap();
    assert!(summary.contains("at event 0 of 1"), "{summary}");
    drop(other);
    server.stop().await;
}
