//! The order of the gates: source, token, body. Each decides from the request head alone.

use super::{SMALL, events, notice, small};
use crate::support::raw::{Raw, bare_head};
use crate::support::{TOKEN, TestServer};

/// A server that accepts bodies of at most [`SMALL`] bytes, and only from 192.0.2.1.
async fn server() -> TestServer {
    TestServer::with(|config| {
        small(config);
        config.ingest.allowed_sources = vec!["192.0.2.1".parse().unwrap()];
    })
    .await
}

const RIGHT_SOURCE: &str = "x-forwarded-for: 192.0.2.1";
const WRONG_SOURCE: &str = "x-forwarded-for: 192.0.2.2";
const WRONG_TOKEN: &str = "authorization: Bearer open-barley";

#[tokio::test]
async fn first_refusing_gate_responds_before_the_body_arrives() {
    let server = server().await;
    let right_token = format!("authorization: {TOKEN}");
    for (source, token, length, code) in [
        (
            WRONG_SOURCE,
            right_token.as_str(),
            1_000_000,
            "source-not-allowed",
        ),
        (WRONG_SOURCE, right_token.as_str(), 10, "source-not-allowed"),
        (WRONG_SOURCE, WRONG_TOKEN, 1_000_000, "source-not-allowed"),
        (WRONG_SOURCE, WRONG_TOKEN, 10, "source-not-allowed"),
        (RIGHT_SOURCE, WRONG_TOKEN, 1_000_000, "unauthorized"),
        (RIGHT_SOURCE, WRONG_TOKEN, 10, "unauthorized"),
        (
            RIGHT_SOURCE,
            right_token.as_str(),
            1_000_000,
            "body-too-large",
        ),
        // A length that does not fit into 32 bits.
        (
            RIGHT_SOURCE,
            right_token.as_str(),
            5_000_000_000_u64,
            "body-too-large",
        ),
    ] {
        let mut raw = Raw::open(server.public).await;
        let length = format!("content-length: {length}");
        raw.send(bare_head(&[source, token, &length])).await;
        assert_eq!(
            raw.answer().await.code(),
            code,
            "{source}, {token}, {length}"
        );
    }
    assert!(events(&server).await.is_empty());
}

#[tokio::test]
async fn client_expecting_100_continue_gets_the_verdict_before_its_body() {
    let server = server().await;
    let right_token = format!("authorization: {TOKEN}");
    for (source, token, length, status) in [
        (WRONG_SOURCE, right_token.as_str(), 10, 403),
        (RIGHT_SOURCE, WRONG_TOKEN, 10, 401),
        (RIGHT_SOURCE, right_token.as_str(), SMALL + 1, 413),
        (RIGHT_SOURCE, right_token.as_str(), SMALL, 100),
    ] {
        let mut raw = Raw::open(server.public).await;
        let length = format!("content-length: {length}");
        raw.send(bare_head(&[source, token, &length, "expect: 100-continue"]))
            .await;
        assert_eq!(raw.answer().await.status, status);
    }

    let mut raw = Raw::open(server.public).await;
    let length = format!("content-length: {}", notice(1).len());
    raw.send(bare_head(&[
        RIGHT_SOURCE,
        &right_token,
        &length,
        "expect: 100-continue",
    ]))
    .await;
    assert_eq!(raw.answer().await.status, 100);
    raw.send(notice(1)).await;
    assert_eq!(raw.answer().await.json()["seq"], 1);
}
