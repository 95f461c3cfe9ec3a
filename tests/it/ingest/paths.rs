//! Where the webhook is, and that nothing else is there.

use hyper::Method;

use super::notice;
use crate::support::{TOKEN, TestServer, request};

/// Posts to each path and says which status came.
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
async fn with_and_without_a_trailing_slash() {
    for configured in ["/webhook", "/webhook/"] {
        let paths = ["/webhook", "/webhook/", "/webhook?from=green", "/webhook/?"];
        assert_eq!(statuses(configured, &paths).await, [200; 4], "{configured}");
    }
}

#[tokio::test]
async fn the_path_that_is_set() {
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
async fn the_root() {
    assert_eq!(
        statuses("/", &["/", "/?x", "/webhook", "//"]).await,
        [200, 200, 404, 404]
    );
}

#[tokio::test]
async fn nothing_else_is_public() {
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
