//! Alerts from single events.

use serde_json::{Value, json};

use super::{HOUR, MINUTE, at, say, server, webhook, with};
use crate::support::said::{self, INSTANCE, NOON};
use crate::support::{Sink, TestServer};

/// A delivery status of a message.
fn status(id_message: &str, name: &str) -> Value {
    said::status(id_message, NOON, name)
}

#[tokio::test]
async fn each_marker_is_reported_with_its_instance() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    for marker in ["SWE001", "SWE003", "SWE999"] {
        say(
            &server,
            &said::text(marker, NOON, &format!("{{{{{marker}}}}}")),
        )
        .await;
        let is_meant = |request: &crate::support::sink::Received| {
            let json = request.json();
            json["name"] == "message-marker" && json["subject"] == marker
        };
        let alert = sink.wait_for(is_meant).await.json();
        assert_eq!(alert["idInstance"], INSTANCE);
        assert_eq!(alert["severity"], "warning");
        assert_eq!(alert["hoursLeft"], Value::Null);
    }
    assert_eq!(sink.count("message-marker", "firing"), 3);
    server.stop().await;
}

#[tokio::test]
async fn failed_messages_are_reported_from_the_bound_on() {
    let sink = Sink::start().await;
    let bound = |config: &mut green_inbox::config::Config| {
        config.alerts.heartbeat_hours = 0;
        config.alerts.to = vec![webhook(&sink)];
        config.alerts.failed_per_hour = 3;
    };
    let server = TestServer::with(bound).await;
    say(&server, &status("A1", "failed")).await;
    say(&server, &status("A2", "delivered")).await;
    server.pass(2 * HOUR);
    say(&server, &status("A3", "failed")).await;
    say(&server, &status("A4", "noAccount")).await;
    say(&server, &json!({ "typeWebhook": "newKind" })).await;
    sink.alert("unknown-type", "firing").await;
    assert_eq!(
        sink.count("message-failed", "firing"),
        0,
        "two within the hour"
    );
    // A restart does not forget them, nor the time when they came.
    let folder = server.stop().await;
    let server = TestServer::later(folder, 2 * HOUR + MINUTE, bound).await;
    say(&server, &status("A5", "noAccount")).await;
    let alert = sink.alert("message-failed", "firing").await;
    assert_eq!(
        (&alert["idInstance"], &alert["count"]),
        (&json!(INSTANCE), &json!(1))
    );
    server.stop().await;
}

#[tokio::test]
async fn unknown_types_are_counted_across_a_restart_and_the_count_is_told_daily() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    let send = async |server: &TestServer, number: u32| {
        say(
            server,
            &json!({ "typeWebhook": "newKind", "number": number }),
        )
        .await;
    };
    send(&server, 1).await;
    let alert = sink.alert("unknown-type", "firing").await;
    assert_eq!(
        (&alert["count"], &alert["subject"]),
        (&json!(1), &json!("newKind"))
    );
    server.pass(23 * HOUR);
    send(&server, 2).await;
    send(&server, 3).await;
    let server = at(server.stop().await, &sink, |_| {}).await;
    server.pass(24 * HOUR);
    sink.alerts("unknown-type", "firing", 2).await;
    let alert = sink.received().pop().unwrap().json();
    assert_eq!(
        (&alert["count"], &alert["subject"]),
        (&json!(3), &json!("newKind"))
    );
    server.stop().await;
}

#[tokio::test]
async fn another_kind_of_unknown_type_is_reported_on_its_own() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    for kind in ["newKind", "newerKind"] {
        say(&server, &json!({ "typeWebhook": kind })).await;
    }
    sink.alerts("unknown-type", "firing", 2).await;
    server.stop().await;
}

#[tokio::test]
async fn ignored_instance_raises_no_alert() {
    let sink = Sink::start().await;
    let server = with(&sink, |config| {
        config.alerts.ignored_instances = vec![INSTANCE];
    })
    .await;
    say(&server, &said::text("A1", NOON, "{{SWE001}}")).await;
    say(&server, &said::state(NOON, "notAuthorized")).await;
    let mut other = said::text("A2", NOON, "{{SWE001}}");
    other["instanceData"]["idInstance"] = json!(7);
    say(&server, &other).await;
    server.pass(MINUTE);
    let alert = sink.alert("message-marker", "firing").await;
    assert_eq!(alert["idInstance"], 7);
    assert_eq!(sink.received().len(), 1);
    server.stop().await;
}
