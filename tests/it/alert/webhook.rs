//! The webhook destination: fields and signature.

use data_encoding::BASE64;
use green_inbox::config::{Destination, SecretUrl, Webhook};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{at, knock, say, secret, server, with};
use crate::support::said::{self, NOON};
use crate::support::{Sink, TestServer};

/// HMAC-SHA256 by its definition (RFC 2104), independent of the program's.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    assert!(key.len() <= 64);
    let pad = |byte: u8| -> Vec<u8> {
        let mut block = key.to_vec();
        block.resize(64, 0);
        block.iter().map(|key| key ^ byte).collect()
    };
    let inner = Sha256::digest([pad(0x36), message.to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

#[tokio::test]
async fn wrong_token_reaches_the_webhook_with_every_field() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    knock(&server).await;
    let mut alert = sink.alert("token-rejected", "firing").await;
    let summary = alert.as_object_mut().unwrap().remove("summary").unwrap();
    let summary = summary.as_str().unwrap();
    assert!(
        summary.contains("127.0.0.1") && !summary.contains("swordfish"),
        "{summary}"
    );
    let help = alert.as_object_mut().unwrap().remove("help").unwrap();
    assert!(help.as_str().unwrap().contains("webhookUrlToken"), "{help}");
    assert_eq!(
        alert,
        json!({
            "name": "token-rejected",
            "severity": "critical",
            "state": "firing",
            "since": "2026-01-01T00:00:00.000Z",
            "lastObservedAt": "2026-01-01T00:00:00.000Z",
            "resolvedAt": null,
            "count": 1,
            "hoursLeft": 24.0,
            "idInstance": null,
            "subject": null,
        })
    );
    server.stop().await;
}

#[tokio::test]
async fn signature_is_that_of_standard_webhooks_for_each_secret() {
    let keys = [[7_u8; 24], [8_u8; 24]];
    let text = keys
        .map(|key| format!("whsec_{}", BASE64.encode(&key)))
        .join("\n");
    let (_folder, path) = secret(&text);
    let sink = Sink::start().await;
    let server = with(&sink, |config| {
        config.alerts.to = vec![Destination::Webhook(Webhook {
            url: SecretUrl::new(&sink.url("/hook?key=1")),
            secret_file: Some(path),
        })];
    })
    .await;
    knock(&server).await;
    let request = sink.wait_for(|_| true).await;
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/hook?key=1")
    );
    assert_eq!(request.header("content-type"), "application/json");
    let (id, timestamp) = (
        request.header("webhook-id"),
        request.header("webhook-timestamp"),
    );
    assert_eq!(timestamp, "1767225600");
    let signed = [format!("{id}.{timestamp}.").as_bytes(), &request.body].concat();
    let expected = keys.map(|key| format!("v1,{}", BASE64.encode(&hmac(&key, &signed))));
    assert_eq!(request.header("webhook-signature"), expected.join(" "));
    server.stop().await;
}

#[tokio::test]
async fn request_without_a_secret_has_no_signature() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    knock(&server).await;
    let request = sink.wait_for(|_| true).await;
    assert!(!request.headers.contains_key("webhook-signature"));
    assert!(request.header("webhook-id").starts_with("alert_"));
    server.stop().await;
}

#[tokio::test]
async fn retry_has_the_same_id() {
    let sink = Sink::start().await;
    sink.answer(500, "");
    let server = server(&sink).await;
    knock(&server).await;
    sink.wait_for(|_| true).await;
    sink.answer(204, "");
    server.pass(10_000);
    sink.alerts("token-rejected", "firing", 2).await;
    let ids: Vec<_> = sink.received();
    assert_eq!(ids[0].header("webhook-id"), ids[1].header("webhook-id"));
    let server = restarted(server, &sink).await;
    say(&server, &said::text("A1", NOON, "Good morning")).await;
    server.pass(super::MINUTE * 6);
    sink.alert("token-rejected", "resolved").await;
    assert_eq!(
        sink.count("token-rejected", "firing"),
        2,
        "it was told before the restart"
    );
    let ids = sink.received();
    assert_ne!(ids[0].header("webhook-id"), ids[2].header("webhook-id"));
    server.stop().await;
}

async fn restarted(server: TestServer, sink: &Sink) -> TestServer {
    at(server.stop().await, sink, |_| {}).await
}
