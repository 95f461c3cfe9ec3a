//! Rate limit on failed token attempts: a guessing client gets 429, and a valid token works again
//! after the wait.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use green_inbox::api::{self, Api};
use green_inbox::clock::{Clock, UnixMillis};
use green_inbox::config::{Private, Token};
use green_inbox::http::Peer;
use green_inbox::http::ReadGate;
use green_inbox::model::{Alerts, Forwards};
use green_inbox::store::{self, DeadLetters, Duties};
use hyper::{Method, Request};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::support::server::START;
use crate::support::{Answer, Process, TestServer, request};

const VALID: &str = "Bearer reader";

async fn guarded() -> TestServer {
    TestServer::with(|config| config.private.tokens = vec![Token::new("reader")]).await
}

async fn ask(address: SocketAddr, token: &str) -> Answer {
    let headers = [("authorization", token)];
    request(address, Method::GET, "/api/v1/events", &headers, "").await
}

/// Sends `times` requests, each with a different wrong token; each must be checked and get a 401.
async fn guess(server: &TestServer, times: usize) {
    for number in 0..times {
        let answer = ask(server.private, &format!("Bearer guess-{number}")).await;
        assert_eq!(answer.status, 401, "{number}");
    }
}

fn assert_rate_limited(answer: &Answer, seconds: &str) {
    assert_eq!(answer.status, 429, "{answer:?}");
    assert_eq!(answer.code(), "too-many-attempts");
    assert_eq!(answer.header("retry-after"), seconds);
}

#[tokio::test]
async fn ten_wrong_tokens_block_even_a_valid_token_until_the_wait_ends() {
    let server = guarded().await;
    guess(&server, 10).await;
    // A valid token gets the same response, so that a guess does not reveal it.
    for token in ["Bearer guess", VALID, "Basic guess", ""] {
        assert_rate_limited(&ask(server.private, token).await, "6");
    }
    server.pass(4_999);
    assert_rate_limited(&ask(server.private, VALID).await, "2");
    server.pass(1_000);
    assert_rate_limited(&ask(server.private, VALID).await, "1");
    server.pass(1);
    assert_eq!(ask(server.private, VALID).await.status, 200);
}

#[tokio::test]
async fn one_more_attempt_is_allowed_every_six_seconds() {
    let server = guarded().await;
    guess(&server, 10).await;
    for _ in 0..3 {
        // Refused attempts do not count, so the wait ends.
        for _ in 0..20 {
            assert_rate_limited(&ask(server.private, "Bearer guess").await, "6");
        }
        server.pass(6_000);
        guess(&server, 1).await;
    }
    server.pass(60_000);
    guess(&server, 10).await;
    assert_rate_limited(&ask(server.private, "Bearer guess").await, "6");
    server.pass(i64::from(u32::MAX));
    guess(&server, 10).await;
    assert_rate_limited(&ask(server.private, "Bearer guess").await, "6");
}

#[tokio::test]
async fn valid_token_is_not_an_attempt_and_restores_none() {
    let server = guarded().await;
    guess(&server, 9).await;
    for _ in 0..30 {
        assert_eq!(ask(server.private, VALID).await.status, 200);
    }
    guess(&server, 1).await;
    assert_rate_limited(&ask(server.private, VALID).await, "6");
}

#[tokio::test]
async fn request_without_a_token_is_not_an_attempt() {
    let server = guarded().await;
    let bare = async || request(server.private, Method::GET, "/api/v1/events", &[], "").await;
    for _ in 0..30 {
        assert_eq!(bare().await.code(), "unauthorized");
    }
    guess(&server, 10).await;
    assert_rate_limited(&ask(server.private, VALID).await, "6");
    assert_eq!(bare().await.code(), "unauthorized");
    // The health endpoints check no token.
    let path = "/readyz";
    let headers = [("authorization", "Bearer guess")];
    let health = request(server.private, Method::GET, path, &headers, "").await;
    assert_eq!(health.status, 200);
}

#[tokio::test]
async fn without_configured_tokens_attempts_are_not_limited() {
    let server = TestServer::start().await;
    for _ in 0..30 {
        assert_eq!(ask(server.private, "Bearer guess").await.status, 200);
    }
}

#[tokio::test]
async fn each_ipv4_address_and_each_ipv6_64_is_limited_separately() {
    let folder = tempfile::tempdir().unwrap();
    let store = store::open(&folder.path().join("inbox.db"), 16, 0)
        .await
        .unwrap();
    let settings = Private {
        tokens: vec![Token::new("reader")],
        ..Private::default()
    };
    let clock = Clock::new(|| UnixMillis(START));
    let reprocess = store.reprocessing().unwrap().requests();
    let router = api::router(Arc::new(Api {
        gate: Arc::new(ReadGate::new(&settings, clock.clone()).unwrap()),
        clock,
        reader: store.reader.clone(),
        commits: store.commits,
        projected: store.projected,
        deleted: store.deleted,
        metrics: store.metrics,
        alerts: Alerts::new(Clock::system()),
        accounts: green_inbox::model::Accounts::default(),
        forwards: Forwards::default(),
        dead_letters: DeadLetters::new(store.reader.clone()),
        duties: Duties::default(),
        reprocess,
        files: green_inbox::media::Folder::of(std::path::Path::new("nowhere")),
        node: None,
        stop: CancellationToken::new(),
    }));
    let ask = async |peer: &str, token: &str| {
        let peer: IpAddr = peer.parse().unwrap();
        let request = Request::get("/api/v1/events")
            .header("authorization", token)
            // No proxy is trusted, so this header is ignored.
            .header("x-forwarded-for", "198.51.100.7")
            .extension(Peer((peer, 4711).into()))
            .body(Body::empty())
            .unwrap();
        router.clone().oneshot(request).await.unwrap().status()
    };
    for (guesser, same, other) in [
        ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", "2001:db8:0:2::1"),
    ] {
        for _ in 0..10 {
            assert_eq!(ask(guesser, "Bearer guess").await, 401, "{guesser}");
        }
        assert_eq!(ask(guesser, VALID).await, 429, "{guesser}");
        assert_eq!(ask(same, VALID).await, 429, "{same}");
        assert_eq!(ask(other, VALID).await, 200, "{other}");
        assert_eq!(ask(other, "Bearer guess").await, 401, "{other}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limited_client_is_logged_once_and_no_token_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = [("GREEN_INBOX__PRIVATE__TOKENS", "open-reader")];
    let mut process = Process::with(folder.path(), &tokens);
    for _ in 0..30 {
        ask(process.private, "Bearer open-barley").await;
    }
    process.signal("TERM");
    assert_eq!(process.wait().code(), Some(0));
    let text = process.log.text();
    for secret in ["open-reader", "open-barley"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let warnings: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["level"] == "WARN")
        .collect();
    assert_eq!(warnings.len(), 1, "{text}");
    assert_eq!(warnings[0]["fields"]["client"], "127.0.0.1");
}
