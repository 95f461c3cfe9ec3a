//! Settings that change while the server runs.

use serde_json::json;

use super::{events, notice, post_with};
use crate::support::{TOKEN, TestServer, post};

/// A notification of a type that a reload makes ignored.
const NOTE: &str = r#"{"typeWebhook":"note"}"#;

#[tokio::test]
async fn reload_replaces_sources_and_ignored_types() {
    let server = TestServer::start().await;
    let forwarded = [("authorization", TOKEN), ("x-forwarded-for", "192.0.2.7")];
    assert_eq!(
        post_with(server.public, &forwarded, notice(1)).await.status,
        403
    );
    server
        .reload_with(|config| {
            config.ingest.allowed_sources = vec!["192.0.2.0/24".parse().unwrap()];
            config.ingest.ignored_types = vec!["note".to_owned()];
        })
        .unwrap();
    assert_eq!(
        post_with(server.public, &forwarded, notice(1)).await.status,
        200
    );
    assert_eq!(
        post(server.public, notice(2)).await.status,
        403,
        "loopback is no longer listed"
    );
    let answer = post_with(server.public, &forwarded, NOTE).await;
    assert_eq!(answer.json(), json!({ "ignored": true }));
    assert_eq!(events(&server).await.len(), 1);
}

#[tokio::test]
async fn invalid_setting_changes_nothing() {
    let server = TestServer::start().await;
    let refused = server.reload_with(|config| {
        config.ingest.ignored_types = vec!["note".to_owned()];
        config.ingest.tokens.clear();
    });
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("ingest.tokens") && refused.contains("help:"),
        "{refused}"
    );
    let answer = post(server.public, NOTE).await;
    assert_eq!(answer.json()["outcome"], "unknown", "{answer:?}");
}
