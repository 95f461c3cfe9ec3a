//! The public listener: requests, their responses, and the events stored for them.

mod answers;
mod body;
mod connections;
mod duplicates;
mod encoding;
mod gates;
mod log;
mod memory;
mod paths;
mod properties;
mod queue;
mod reload;
mod source;
mod time;
mod token;

use std::net::SocketAddr;

use green_inbox::config::Config;
use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, get};

/// A notification of a known type. Each number gives a different body.
fn notice(number: usize) -> String {
    json!({
        "typeWebhook": "stateInstanceChanged",
        "instanceData": {
            "idInstance": 7_105_000_001_u64,
            "wid": "10000000001@c.us",
            "typeInstance": "whatsapp",
        },
        "timestamp": 1_767_225_000 + number,
        "stateInstance": "authorized",
    })
    .to_string()
}

/// A notification of a known type without a timestamp.
fn untimed(number: usize) -> String {
    json!({
        "typeWebhook": "quotaExceeded",
        "instanceData": {
            "idInstance": 7_105_000_001_u64,
            "wid": "10000000001@c.us",
            "typeInstance": "whatsapp",
        },
        "quotaData": {
            "method": "correspondents",
            "used": number,
            "total": 3,
            "status": "CORRESPONDENTS_QUOTA_EXCEEDED",
            "description": "Nobody new may be written to this month.",
        },
    })
    .to_string()
}

/// A notification of a known type that is exactly `bytes` bytes long (at least 300).
fn padded(number: usize, bytes: usize) -> String {
    let body = notice(number);
    let pad = "~".repeat(bytes - body.len() - r#","pad":"""#.len());
    let body = format!(r#"{},"pad":"{pad}"}}"#, body.strip_suffix('}').unwrap());
    assert_eq!(body.len(), bytes);
    body
}

/// Bytes: the smallest body limit that the configuration allows, so that tests exceed it cheaply.
const SMALL: u32 = 1024;

/// Limits bodies to [`SMALL`] bytes.
fn small(config: &mut Config) {
    config.ingest.body_limit_bytes = SMALL;
}

/// The seq in a response that acknowledges an event as stored.
fn seq(answer: &Answer) -> i64 {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["seq"].as_i64().unwrap()
}

/// Sends `POST /webhook` with only these headers.
async fn post_with(
    address: SocketAddr,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    crate::support::request(address, hyper::Method::POST, "/webhook", headers, body).await
}

/// The event stored under `seq`.
async fn event(server: &TestServer, seq: i64) -> Value {
    let answer = get(server.private, &format!("/api/v1/events/{seq}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// The body stored under `seq`.
async fn bytes(server: &TestServer, seq: i64) -> Bytes {
    let answer = get(server.private, &format!("/api/v1/events/{seq}/body")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// All stored events, oldest first.
async fn events(server: &TestServer) -> Vec<Value> {
    let answer = get(server.private, "/api/v1/events?order=asc&limit=500").await;
    let mut page = answer.json();
    assert_eq!(page["nextCursor"], Value::Null);
    match page["data"].take() {
        Value::Array(events) => events,
        other => panic!("{other}"),
    }
}
