//! Alerts, as a destination on the internet sees them.

mod conditions;
mod delivery;
mod destinations;
mod email;
#[cfg(feature = "email")]
mod email_tls;
mod events;
mod heartbeat;
mod instances;
mod lifecycle;
mod listing;
mod privacy;
mod troubles;
mod webhook;

use std::fs;

use green_inbox::config::{Config, Destination, SecretUrl, Webhook};
use hyper::{Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Sink, TestServer, post, request};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// A webhook at the stand-in, not signed.
fn webhook(sink: &Sink) -> Destination {
    Destination::Webhook(Webhook {
        url: SecretUrl::new(&sink.url("/alerts")),
        secret_file: None,
    })
}

/// A server that sends alerts to the stand-in, and no heartbeats.
async fn server(sink: &Sink) -> TestServer {
    with(sink, |_| {}).await
}

/// Like [`server`], with other settings.
async fn with(sink: &Sink, configure: impl FnOnce(&mut Config)) -> TestServer {
    at(tempfile::tempdir().unwrap(), sink, configure).await
}

/// Like [`with`], in the folder of a server that was stopped.
async fn at(folder: TempDir, sink: &Sink, configure: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::at(folder, |config| {
        config.alerts.heartbeat_hours = 0;
        config.alerts.to = vec![webhook(sink)];
        configure(config);
    })
    .await
}

/// Posts a notification, which must be accepted.
async fn say(server: &TestServer, body: &Value) {
    let answer = post(server.public, body.to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

/// Posts with a wrong token.
async fn knock(server: &TestServer) {
    let headers = [("authorization", "Bearer swordfish")];
    let answer = request(server.public, Method::POST, "/webhook", &headers, "{}").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

/// Writes a secret file into a folder of its own.
fn secret(text: &str) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, text).unwrap();
    (folder, path)
}
