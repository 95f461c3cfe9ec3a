//! Alerts from troubles that a part of the program observes.

use std::fs;

use hyper::Method;
use serde_json::json;

use super::{HOUR, MINUTE, at, say, server, with};
use crate::support::said::{self, NOON};
use crate::support::{Sink, TOKEN, post, request};

#[tokio::test]
async fn request_from_a_source_that_is_not_allowed_raises_nothing() {
    let sink = Sink::start().await;
    let server = with(&sink, |config| {
        config.ingest.allowed_sources = vec!["192.0.2.1".parse().unwrap()];
    })
    .await;
    let headers = [("authorization", "Bearer swordfish")];
    let refused = request(server.public, Method::POST, "/webhook", &headers, "{}").await;
    assert_eq!(refused.status, 403);
    let forwarded = [
        ("authorization", "Bearer swordfish"),
        ("x-forwarded-for", "192.0.2.1"),
    ];
    let refused = request(server.public, Method::POST, "/webhook", &forwarded, "{}").await;
    assert_eq!(refused.status, 401);
    let alert = sink.alert("token-rejected", "firing").await;
    assert!(alert["summary"].as_str().unwrap().contains("192.0.2.1"));
    assert_eq!(
        alert["count"], 1,
        "only the request of the allowed source counts"
    );
    server.stop().await;
}

#[tokio::test]
async fn body_over_the_limit_is_reported_with_the_hours_left() {
    let sink = Sink::start().await;
    let server = with(&sink, |config| config.ingest.body_limit_bytes = 2000).await;
    let large = vec![b' '; 3000];
    assert_eq!(post(server.public, large.clone()).await.status, 413);
    let alert = sink.alert("body-too-large", "firing").await;
    assert_eq!(
        (&alert["hoursLeft"], &alert["severity"]),
        (&json!(24.0), &json!("critical"))
    );
    server.pass(20 * HOUR);
    post(server.public, large).await;
    sink.alerts("body-too-large", "firing", 2).await;
    assert_eq!(sink.received().pop().unwrap().json()["hoursLeft"], 4.0);
    server.stop().await;
}

#[tokio::test]
async fn full_database_is_reported_although_nothing_can_be_saved() {
    let sink = Sink::start().await;
    let server = with(&sink, |config| config.storage.max_bytes = 8 << 20).await;
    let text = "x".repeat(100_000);
    for number in 0.. {
        let body = said::text(&format!("A{number}"), NOON, &text).to_string();
        let answer = post(server.public, body).await;
        if answer.status == 503 {
            break;
        }
        assert!(number < 200, "the database is never full");
    }
    let alert = sink.alert("storage-refuses", "firing").await;
    assert_eq!(
        (&alert["hoursLeft"], &alert["severity"]),
        (&json!(24.0), &json!("critical"))
    );
    // It has room again.
    let server = at(server.stop().await, &sink, |_| {}).await;
    say(&server, &said::text("B1", NOON, "Good morning")).await;
    server.pass(6 * MINUTE);
    sink.alert("storage-refuses", "resolved").await;
    server.stop().await;
}

#[tokio::test]
async fn notification_that_comes_again_and_again_is_reported() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    let body = said::text("A1", NOON, "Good morning");
    for _ in 0..4 {
        say(&server, &body).await;
        server.pass(MINUTE);
    }
    say(&server, &json!({ "typeWebhook": "newKind" })).await;
    sink.alert("unknown-type", "firing").await;
    assert_eq!(sink.count("delivery-repeated", "firing"), 0);
    say(&server, &body).await;
    let alert = sink.alert("delivery-repeated", "firing").await;
    let summary = alert["summary"].as_str().unwrap();
    assert!(
        summary.contains("event 1 of instance 1101000001 came 5 times"),
        "{summary}"
    );
    server.stop().await;
}

#[tokio::test]
async fn token_file_that_cannot_be_reloaded_is_reported_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    fs::write(&file, TOKEN).unwrap();
    let sink = Sink::start().await;
    let server = with(&sink, |config| {
        config.ingest.tokens_file = Some(file.clone());
    })
    .await;
    fs::write(&file, "").unwrap();
    assert!(server.reload().is_err());
    sink.alert("token-file-unreadable", "firing").await;
    fs::write(&file, TOKEN).unwrap();
    server.reload().unwrap();
    server.pass(6 * MINUTE);
    sink.alert("token-file-unreadable", "resolved").await;
    server.stop().await;
}
