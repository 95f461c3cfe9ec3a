//! Alerts about instances: states, silence, late notifications.

use futures_util::future::join_all;
use serde_json::Value;

use super::{HOUR, MINUTE, at, say, server, with};
use crate::support::said::{self, INSTANCE};
use crate::support::server::START;
use crate::support::{Sink, TestServer, next_look};

/// The start of the test clock in GREEN-API's seconds.
const NOW: i64 = START / 1000;

#[tokio::test]
async fn each_bad_state_is_reported_since_when_and_an_older_change_does_not_end_it() {
    let cases = [
        ("notAuthorized", "instance-not-authorized", "critical"),
        ("blocked", "instance-blocked", "critical"),
        ("yellowCard", "instance-yellow-card", "warning"),
        ("suspended", "instance-suspended", "warning"),
    ];
    // One server for each state, all at the same time: they mostly wait for the alerts to look.
    join_all(cases.map(async |(state, name, severity)| {
        let sink = Sink::start().await;
        let server = server(&sink).await;
        say(&server, &said::state(NOW, state)).await;
        server.pass(MINUTE / 2);
        let alert = sink.alert(name, "firing").await;
        assert_eq!(alert["idInstance"], INSTANCE);
        assert_eq!(alert["severity"], severity);
        assert_eq!(alert["since"], "2026-01-01T00:00:00.000Z");
        // An older change that arrives late does not end it.
        say(&server, &said::state(NOW - 60, "authorized")).await;
        wait_for_looks(&server).await;
        server.pass(MINUTE / 2);
        wait_for_looks(&server).await;
        assert_eq!(sink.count(name, "resolved"), 0);
        server.stop().await;
    }))
    .await;
}

#[tokio::test]
async fn instance_that_starts_for_too_long_is_reported() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    say(&server, &said::state(NOW, "starting")).await;
    server.pass(9 * MINUTE);
    say(&server, &serde_json::json!({ "typeWebhook": "newKind" })).await;
    sink.alert("unknown-type", "firing").await;
    assert_eq!(sink.count("instance-starting", "firing"), 0);
    server.pass(MINUTE);
    sink.alert("instance-starting", "firing").await;
    server.stop().await;
}

#[tokio::test]
async fn silent_instance_is_reported_after_a_day() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    say(&server, &said::text("A1", NOW, "Good morning")).await;
    server.pass(23 * HOUR);
    say(&server, &serde_json::json!({ "typeWebhook": "newKind" })).await;
    sink.alert("unknown-type", "firing").await;
    assert_eq!(sink.count("instance-silent", "firing"), 0);
    server.pass(HOUR);
    let alert = sink.alert("instance-silent", "firing").await;
    assert_eq!(alert["idInstance"], INSTANCE);
    assert!(
        alert["summary"]
            .as_str()
            .unwrap()
            .contains("2026-01-01T00:00:00")
    );
    server.stop().await;
}

#[tokio::test]
async fn silence_is_computed_from_the_store_at_the_start() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    say(&server, &said::text("A1", NOW, "Good morning")).await;
    let server = at(server.stop().await, &sink, |_| {}).await;
    server.pass(25 * HOUR);
    say(&server, &serde_json::json!({ "typeWebhook": "newKind" })).await;
    sink.alert("unknown-type", "firing").await;
    assert_eq!(
        sink.count("instance-silent", "firing"),
        0,
        "GREEN-API may send again at once"
    );
    server.pass(2 * MINUTE);
    sink.alerts("instance-silent", "firing", 1).await;
    server.stop().await;
}

#[tokio::test]
async fn instance_that_was_given_up_raises_no_alert_any_more() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    say(&server, &said::state(NOW, "notAuthorized")).await;
    server.pass(25 * HOUR);
    sink.alert("instance-silent", "firing").await;
    sink.alert("instance-not-authorized", "firing").await;
    server.pass(30 * 24 * HOUR);
    sink.alert("instance-silent", "resolved").await;
    sink.alert("instance-not-authorized", "resolved").await;
    server.stop().await;
}

#[tokio::test]
async fn silence_can_be_switched_off() {
    let sink = Sink::start().await;
    let server = with(&sink, |config| config.alerts.silence_hours = 0).await;
    say(&server, &said::text("A1", NOW, "Good morning")).await;
    server.pass(25 * HOUR);
    say(&server, &serde_json::json!({ "typeWebhook": "newKind" })).await;
    sink.alert("unknown-type", "firing").await;
    assert_eq!(sink.received().len(), 1);
    server.stop().await;
}

/// Sends a message that was written this long ago, and lets the alerts see it.
async fn late(server: &TestServer, id_message: &str, passed: &mut i64, age: i64) {
    let timestamp = (START + *passed - age) / 1000;
    say(server, &said::text(id_message, timestamp, "Good morning")).await;
    // Lists wait for the projection, and so does the sample.
    let address = "/api/v1/instances";
    assert_eq!(
        crate::support::get(server.private, address).await.status,
        200
    );
    server.pass(MINUTE / 4);
    *passed += MINUTE / 4;
    // The alerts look twice a second.
    wait_for_looks(server).await;
}

/// Waits until the alerts have looked at everything: another alert has arrived.
async fn wait_for_looks(server: &TestServer) {
    for _ in 0..2 {
        let kind = format!(
            "look{}",
            crate::support::get(server.private, "/api/v1/stats")
                .await
                .json()["newestSeq"]
        );
        say(server, &serde_json::json!({ "typeWebhook": kind })).await;
        loop {
            let listed = crate::support::get(server.private, "/api/v1/alerts")
                .await
                .json();
            let is_meant = |alert: &Value| alert["subject"] == kind.as_str();
            if listed["data"].as_array().unwrap().iter().any(is_meant) {
                break;
            }
            next_look().await;
        }
    }
}

#[tokio::test]
async fn late_notifications_in_a_row_are_reported() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    let mut passed = 0;
    late(&server, "A1", &mut passed, 3 * HOUR).await;
    late(&server, "A2", &mut passed, 0).await;
    late(&server, "A3", &mut passed, 3 * HOUR).await;
    assert_eq!(sink.count("delivery-lag", "firing"), 0, "one alone");
    late(&server, "A4", &mut passed, 2 * HOUR).await;
    let alert = sink.alert("delivery-lag", "firing").await;
    assert_eq!(alert["idInstance"], INSTANCE);
    assert!(
        alert["summary"].as_str().unwrap().contains("120 minutes"),
        "{alert}"
    );
    server.stop().await;
}
