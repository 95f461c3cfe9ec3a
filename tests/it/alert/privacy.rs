//! No message text and no phone number leaves the machine unless the settings allow it.

use serde_json::json;

use super::{MINUTE, say, with};
use crate::support::Sink;
use crate::support::said::{self, NOON};

/// Raises each alert that is about a message, and returns everything that was sent.
async fn everything_sent(include_text: bool) -> String {
    let sink = Sink::start().await;
    let server = with(&sink, |config| {
        config.alerts.failed_per_hour = 1;
        config.alerts.include_text = include_text;
    })
    .await;
    say(&server, &said::text("A1", NOON, "{{SWE003}}")).await;
    let mut drifted = said::text("A2", NOON, "swordfish");
    drifted["senderData"]["senderName"] = json!(["Nina 79004445566"]);
    say(&server, &drifted).await;
    let mut unknown = said::text("A3", NOON, "swordfish");
    unknown["messageData"]["typeMessage"] = json!("newMessage");
    say(&server, &unknown).await;
    let malformed = r#"{"typeWebhook":"incomingMessageReceived","text":"swordfish 79004445566""#;
    crate::support::post(server.public, malformed).await;
    let mut failed = said::status("A4", NOON, "failed");
    failed["description"] = json!("swordfish 79004445566");
    say(&server, &failed).await;
    server.pass(MINUTE);
    for name in [
        "message-marker",
        "message-failed",
        "malformed-body",
        "unknown-type",
        "field-drift",
    ] {
        sink.alert(name, "firing").await;
    }
    let listed = crate::support::get(server.private, "/api/v1/alerts").await;
    server.stop().await;
    let bodies = sink
        .received()
        .into_iter()
        .map(|request| request.body.to_vec());
    let sent = bodies
        .chain([listed.body.to_vec()])
        .collect::<Vec<_>>()
        .concat();
    String::from_utf8(sent).unwrap()
}

#[tokio::test]
async fn alerts_name_no_text_and_no_phone_number_by_default() {
    let sent = everything_sent(false).await;
    for secret in ["swordfish", "79004445566", "Nina"] {
        assert!(!sent.contains(secret), "{secret}: {sent}");
    }
}

#[tokio::test]
async fn alerts_name_the_chat_if_they_may() {
    let sent = everything_sent(true).await;
    assert!(sent.contains("79004445566@c.us"), "{sent}");
}
