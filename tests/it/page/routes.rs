//! Addresses, methods and headers of the page.

use hyper::Method;
use serde_json::json;

use super::{html, open, text};
use crate::support::{TestServer, post, request};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// A text message in a private chat.
pub fn message(id: &str, text: &str) -> String {
    json!({
        "typeWebhook": "incomingMessageReceived",
        "instanceData": { "idInstance": 1_101_000_001, "wid": "79001234567@c.us", "typeInstance": "whatsapp" },
        "timestamp": 1_767_225_590, "idMessage": id,
        "senderData": { "chatId": "79990000001@c.us", "sender": "79990000001@c.us", "senderName": "Ivan" },
        "messageData": { "typeMessage": "textMessage", "textMessageData": { "textMessage": text } },
    })
    .to_string()
}

#[tokio::test]
async fn every_view_has_one_heading_and_a_strict_policy() {
    let server = TestServer::start().await;
    post(server.public, message("A1", "Hello")).await;
    for path in [
        "/",
        "/events/1",
        "/chats/1101000001/79990000001%40c.us",
        "/instances",
        "/forward",
        "/health",
    ] {
        let answer = open(&server, path, &[]).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-security-policy"), POLICY);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("cache-control"), "no-store");
        let html = text(&answer);
        assert_eq!(html.matches("<h1").count(), 1, "{path}");
        assert_eq!(html.matches("role=\"status\"").count(), 1, "{path}");
        // The policy would refuse them.
        for inline in ["<style", " style=", " onclick=", "<script>"] {
            assert!(!html.contains(inline), "{path} has {inline}");
        }
    }
}

#[tokio::test]
async fn what_does_not_exist_is_a_404_page() {
    let server = TestServer::start().await;
    for path in [
        "/events/999",
        "/events/x",
        "/events/-1",
        "/chats/x/79%40c.us",
    ] {
        let answer = open(&server, path, &[]).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(text(&answer).contains("Nothing is here"), "{path}");
        assert_eq!(answer.header("content-security-policy"), POLICY);
    }
    assert_eq!(open(&server, "/nothing", &[]).await.code(), "not-found");
}

#[tokio::test]
async fn other_methods_are_refused() {
    let server = TestServer::start().await;
    for (method, path, allow) in [
        (Method::POST, "/", "GET, HEAD"),
        (Method::DELETE, "/events/1", "GET, HEAD"),
        (Method::PUT, "/sign-in", "GET, HEAD, POST"),
        (Method::GET, "/sign-out", "POST"),
    ] {
        let answer = request(server.private, method, path, &[], "").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (405, allow),
            "{path}"
        );
    }
    assert_eq!(
        request(server.private, Method::HEAD, "/", &[], "")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn link_from_another_site_reads_nothing_and_asks_again() {
    let server = TestServer::start().await;
    post(server.public, message("A1", "Hello from outside")).await;
    let link = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    let answer = open(&server, "/events/1", &link).await;
    assert_eq!(answer.status, 403);
    let page = text(&answer);
    assert!(
        page.contains(r#"http-equiv="refresh""#) && !page.contains("Hello"),
        "{page}"
    );
    let again = [
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-mode", "navigate"),
    ];
    assert!(
        html(&server, "/events/1", &again)
            .await
            .contains("Hello from outside")
    );
    let frame = [link[0], link[1], ("sec-fetch-dest", "iframe")];
    assert_eq!(
        open(&server, "/events/1", &frame).await.code(),
        "cross-site"
    );
}

#[tokio::test]
async fn form_beyond_the_limit_is_refused() {
    let server = super::guarded().await;
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let form = format!("token={}", "x".repeat(9_000));
    let answer = request(server.private, Method::POST, "/sign-in", &headers, form).await;
    assert_eq!(answer.status, 413);
}
