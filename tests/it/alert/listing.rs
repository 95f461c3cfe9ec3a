//! `GET /api/v1/alerts`.

use green_inbox::config::Token;
use hyper::Method;

use super::{MINUTE, knock, say, server, with};
use crate::support::said::{self, NOON};
use crate::support::{Sink, get, request};

#[tokio::test]
async fn firing_alerts_are_listed_before_resolved_ones_and_critical_ones_first() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    let empty = get(server.private, "/api/v1/alerts").await;
    assert_eq!(empty.json(), serde_json::json!({ "data": [] }));
    knock(&server).await;
    sink.alert("token-rejected", "firing").await;
    say(&server, &said::text("A1", NOON, "{{SWE001}}")).await;
    sink.alert("message-marker", "firing").await;
    let names = async || {
        let listed = get(server.private, "/api/v1/alerts").await.json();
        let data = listed["data"].as_array().unwrap().clone();
        let name = |alert: &serde_json::Value| format!("{} {}", alert["name"], alert["state"]);
        data.iter()
            .map(name)
            .collect::<Vec<_>>()
            .join(", ")
            .replace('"', "")
    };
    assert_eq!(
        names().await,
        "token-rejected firing, message-marker firing"
    );
    server.pass(6 * MINUTE);
    sink.alert("token-rejected", "resolved").await;
    assert_eq!(
        names().await,
        "message-marker firing, token-rejected resolved"
    );
    let refused = get(server.private, "/api/v1/alerts?limit=3").await;
    assert_eq!(refused.code(), "bad-parameter");
    server.stop().await;
}

#[tokio::test]
async fn list_needs_the_private_token() {
    let sink = Sink::start().await;
    let server = with(&sink, |config| {
        config.private.tokens = vec![Token::new("reader")];
    })
    .await;
    assert_eq!(get(server.private, "/api/v1/alerts").await.status, 401);
    let headers = [("authorization", "Bearer reader")];
    let listed = request(server.private, Method::GET, "/api/v1/alerts", &headers, "").await;
    assert_eq!(listed.status, 200);
    server.stop().await;
}
