//! The webhook's path, and that the public listener serves nothing else.

use hyper::Method;

use super::notice;
use crate::support::{TOKEN, TestServer, request};

/// Posts to each path and returns the statuses.
async fn statuses(configured: &str, paths: &[&str]) -> Vec<u16> {
    let server = TestServer::with(|config| configured.clone_into(&mut config.ingest.path)).await;
    let mut statuses = Vec::new();
    for path in paths {
        let headers = [("authorization", TOKEN)];
        let answer = request(server.public, Method::POST, path, &headers, notice(1)).await;
        if answer.status == 404 {
            assert_eq!(answer.code(), "not-found");
        }
        statuses.push(answer.status.as_u16());
    }
    statuses
}

#[tokio::test]
async fn configured_path_matches_with_and_without_a_trailing_slash() {
    for configured in ["/webhook", "/webhook/"] {
        let paths = ["/webhook", "/webhook/", "/webhook?from=green", "/webhook/?"];
        assert_eq!(statuses(configured, &paths).await, [200; 4], "{configured}");
    }
}

#[tokio::test]
async fn only_the_configured_path_receives() {
    let paths = [
        "/in/green-api/v1",
        "/in/green-api/v1/",
        "/in/green-api",
        "/webhook",
        "/",
    ];
    assert_eq!(
        statuses("/in/green-api/v1", &paths).await,
        [200, 200, 404, 404, 404]
    );
}

#[tokio::test]
async fn root_path_receives_when_configured() {
    assert_eq!(
        statuses("/", &["/", "/?x", "/webhook", "//"]).await,
        [200, 200, 404, 404]
    );
}

#[tokio::test]
async fn every_other_public_path_gets_404() {
    let paths = [
        "/",
        "/webhooks",
        "/webhook//",
        "/webhook/1",
        "/WEBHOOK",
        "/%77ebhook",
        "/webhook/../webhook",
        "/livez",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/api/v1/events",
    ];
    assert_eq!(statuses("/webhook", &paths).await, [404; 12]);
    let server = TestServer::start().await;
    for path in paths {
        let answer = request(server.public, Method::GET, path, &[], "").await;
        assert_eq!(answer.status, 404, "{path}");
    }
}
