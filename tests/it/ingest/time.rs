//! Timeouts: a slow client is disconnected and delays no other client.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::{events, notice};
use crate::support::raw::{Raw, chunk, head, whole, within};
use crate::support::{TestServer, next_look, post};

/// Upper bound for a timeout of 1 s to fire, well below the default timeout of 30 s.
const SOON: Duration = Duration::from_secs(15);

/// Sends `drop` repeatedly, with another client's notification in between, until the server
/// responds or closes. Returns how many of those notifications were accepted.
async fn drip(server: &TestServer, raw: &mut Raw, drop: &[u8]) -> usize {
    let started = Instant::now();
    let mut others = 0;
    let dripping = async {
        while !raw.has_news() {
            // The write may fail if the server has just closed the connection.
            let _ = raw.try_send(drop).await;
            assert_eq!(post(server.public, notice(0)).await.status, 200);
            others += 1;
            next_look().await;
        }
    };
    within(dripping).await;
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    others
}

#[tokio::test]
async fn slow_head_is_disconnected_while_others_are_served() {
    let server = TestServer::with(|config| config.ingest.header_timeout_seconds = 1).await;
    let mut raw = Raw::open(server.public).await;
    raw.send("POST /webhook HTTP/1.1\r\nx-slow: ").await;
    assert!(drip(&server, &mut raw, b"~").await > 2);
    assert_eq!(raw.end().await, b"");
}

#[tokio::test]
async fn silent_connection_is_closed() {
    let server = TestServer::with(|config| config.ingest.header_timeout_seconds = 1).await;
    let started = Instant::now();
    assert_eq!(Raw::open(server.public).await.end().await, b"");
    assert!(started.elapsed() < SOON);
}

#[tokio::test]
async fn idle_keep_alive_connection_is_closed() {
    let server = TestServer::with(|config| config.ingest.header_timeout_seconds = 1).await;
    let mut raw = Raw::open(server.public).await;
    raw.send(whole(&notice(1))).await;
    assert_eq!(raw.answer().await.status, 200);
    let started = Instant::now();
    assert_eq!(raw.end().await, b"");
    assert!(started.elapsed() < SOON);
}

#[tokio::test]
async fn slow_body_gets_408_while_others_are_served() {
    let server = TestServer::with(|config| config.ingest.body_timeout_seconds = 1).await;
    let server = &server;
    let cases = [
        ("content-length: 1000000", b"~".to_vec()),
        ("transfer-encoding: chunked", chunk(b"~")),
    ];
    join_all(cases.map(async |(length, drop)| {
        let mut raw = Raw::open(server.public).await;
        raw.send(head(&[length])).await;
        assert!(drip(server, &mut raw, &drop).await > 2);
        let answer = raw.answer().await;
        assert_eq!(answer.status, 408);
        assert_eq!(answer.code(), "body-timeout");
        assert_eq!(raw.end().await, b"");
    }))
    .await;
    assert_eq!(
        events(server).await.len(),
        1,
        "the other client's notification"
    );
}

#[tokio::test]
async fn body_that_never_starts_gets_408() {
    let server = TestServer::with(|config| config.ingest.body_timeout_seconds = 1).await;
    let mut raw = Raw::open(server.public).await;
    raw.send(head(&["content-length: 1"])).await;
    assert_eq!(raw.answer().await.code(), "body-timeout");
}

#[tokio::test]
async fn header_timeout_does_not_limit_the_body() {
    let server = TestServer::with(|config| config.ingest.header_timeout_seconds = 1).await;
    let request = whole(&notice(1));
    let (begin, rest) = request.split_at(request.len() - 1);
    let mut slow = Raw::open(server.public).await;
    slow.send(begin).await;
    // A silent connection has timed out by now, so the header timeout has passed.
    assert_eq!(Raw::open(server.public).await.end().await, b"");
    slow.send(rest).await;
    assert_eq!(slow.answer().await.json()["seq"], 1);
}
