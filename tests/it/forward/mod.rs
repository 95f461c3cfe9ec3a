//! Forward destinations: a stand-in on the internet gets the events.

mod addresses;
mod backlog;
mod config;
mod expired;
mod filters;
mod order;
mod replay;
mod retries;
mod signature;
mod tls;

use green_inbox::config::{Config, Forward};
use serde_json::Value;

use crate::support::said::{self, NOON};
use crate::support::sink::Received;
use crate::support::{Sink, TestServer, get, next_look, post};

/// Milliseconds.
const MINUTE: i64 = 60_000;

/// Settings with one destination, `crm`, at the stand-in.
fn to(sink: &Sink, change: impl FnOnce(&mut Forward)) -> impl FnOnce(&mut Config) {
    let mut forward = Forward::new("crm", &sink.url("/events"));
    change(&mut forward);
    |config| config.forward = vec![forward]
}

/// Stores a text message of a chat.
async fn say(server: &TestServer, chat: &str, id: &str) {
    let body = said::within(chat, said::text(id, NOON, "Good morning"));
    assert_eq!(post(server.public, body.to_string()).await.status, 200);
}

/// The `idMessage` of a request.
fn id(request: &Received) -> String {
    request.json()["idMessage"].as_str().unwrap().to_owned()
}

/// The `idMessage` of each request, in order.
fn ids(sink: &Sink) -> Vec<String> {
    sink.received().iter().map(id).collect()
}

/// Waits for a line of the metrics.
async fn metric(server: &TestServer, line: &str) {
    let deadline = tokio::time::Instant::now() + crate::support::process::PATIENCE;
    loop {
        let metrics = get(server.private, "/metrics").await.body;
        let metrics = String::from_utf8_lossy(&metrics);
        if metrics.lines().any(|found| found == line) {
            return;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "{line} in {metrics}"
        );
        next_look().await;
    }
}

/// The status of the only destination, once it is as expected.
async fn status(server: &TestServer, is_expected: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + crate::support::process::PATIENCE;
    loop {
        let listed = get(server.private, "/api/v1/forward").await.json();
        let status = &listed["data"][0];
        if is_expected(status) {
            return status.clone();
        }
        assert!(tokio::time::Instant::now() < deadline, "{status:#}");
        next_look().await;
    }
}
