//! Events that retention deletes before a destination has got them: they are counted and reported.

use green_inbox::config::{Forward, Start};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{MINUTE, metric, say, status, to};
use crate::support::process::PATIENCE;
use crate::support::said::CHAT;
use crate::support::{Sink, TestServer, get, next_look};

/// Milliseconds.
const DAY: i64 = 24 * 60 * MINUTE;

/// Waits until the oldest stored event has this seq; `None` if there is none.
async fn oldest_is(server: &TestServer, seq: Option<i64>) {
    while get(server.private, "/api/v1/stats").await.json()["oldestSeq"] != json!(seq) {
        next_look().await;
    }
}

#[tokio::test]
async fn events_that_are_deleted_before_they_are_read_are_counted_and_raise_an_alert() {
    let sink = Sink::start().await;
    let server = TestServer::with(to(&sink, |_| {})).await;
    say(&server, CHAT, "A1").await;
    // Its answer has arrived, so that it is not sent again.
    status(&server, |status| status["position"] == 1).await;
    let folder = server.stop().await;
    // Three events are stored and deleted while the destination is not in the configuration.
    let server = TestServer::at(folder, |config| config.storage.retention_days = 1).await;
    for number in ["A2", "A3", "A4"] {
        say(&server, CHAT, number).await;
    }
    server.pass(2 * DAY);
    oldest_is(&server, None).await;
    say(&server, CHAT, "A5").await;
    let folder = server.stop().await;

    let server = TestServer::later(folder, 2 * DAY, to(&sink, |_| {})).await;
    sink.wait_for_number(2).await;
    let shown = status(&server, |status| status["expired"] == 3).await;
    assert_eq!(shown["lastExpiredAt"], "2026-01-03T00:00:00.000Z");
    metric(
        &server,
        "green_inbox_forward_expired_events_total{destination=\"crm\"} 3",
    )
    .await;
    let alert = loop {
        let alerts = get(server.private, "/api/v1/alerts").await.json();
        let mut alerts = alerts["data"].as_array().unwrap().clone().into_iter();
        if let Some(alert) = alerts.find(|alert| alert["name"] == "forward-expired") {
            break alert;
        }
        next_look().await;
    };
    assert_eq!(
        (&alert["subject"], &alert["count"]),
        (&"crm".into(), &3.into()),
        "{alert:#}"
    );
    // The count is saved, and goes on.
    let server = TestServer::later(server.stop().await, 2 * DAY, to(&sink, |_| {})).await;
    status(&server, |status| status["expired"] == 3).await;
    server.stop().await;
}

#[tokio::test]
async fn event_that_is_deleted_while_it_waits_is_counted() {
    let sink = Sink::start().await;
    sink.answer(500, "");
    let server = TestServer::with(|config| {
        config.storage.retention_days = 1;
        to(&sink, |_| {})(config);
    })
    .await;
    say(&server, CHAT, "A1").await;
    say(&server, CHAT, "A2").await;
    status(&server, |status| status["waiting"] == 2).await;
    server.pass(2 * DAY);
    oldest_is(&server, None).await;
    // The first attempt after the pause may have been made before the event was deleted.
    let is_done = |status: &Value| status["expired"] == 2 && status["waiting"] == 0;
    let deadline = Instant::now() + PATIENCE;
    while !is_done(&get(server.private, "/api/v1/forward").await.json()["data"][0]) {
        assert!(Instant::now() < deadline, "the events are not counted");
        server.pass(6 * MINUTE);
        next_look().await;
    }
    server.stop().await;
}

#[tokio::test]
async fn what_was_deleted_before_a_destination_existed_is_not_missing() {
    let server = TestServer::with(|config| config.storage.retention_days = 1).await;
    for number in ["A1", "A2"] {
        say(&server, CHAT, number).await;
    }
    server.pass(2 * DAY);
    oldest_is(&server, None).await;
    say(&server, CHAT, "A3").await;
    let sink = Sink::start().await;
    let server = TestServer::later(server.stop().await, 2 * DAY, |config| {
        let mut forward = Forward::new("crm", &sink.url("/"));
        forward.start = Start::At(1);
        config.forward = vec![forward];
    })
    .await;
    sink.wait_for_number(1).await;
    let shown = status(&server, |status| status["position"] == 3).await;
    assert_eq!(shown["expired"], 0);
    server.stop().await;
}
