//! What takes too long is cut, and nobody else waits for it.

use std::time::{Duration, Instant};

use super::{events, notice};
use crate::support::raw::{Raw, chunk, head, whole, within};
use crate::support::{TestServer, post};

/// A test is over long before the limits that are there by default (30 s).
const SOON: Duration = Duration::from_secs(15);

/// Sends `drop` again and again, and between two of them another notification is served; ends
/// when the server answers or closes. Says how many were served.
async fn drip(server: &TestServer, raw: &mut Raw, drop: &[u8]) -> usize {
    let started = Instant::now();
    let mut others = 0;
    let dripping = async {
        while !raw.has_news() {
            // The server may be about to answer.
            let _ = raw.try_send(drop).await;
            assert_eq!(post(server.public, notice(0)).await.status, 200);
            others += 1;
        }
    };
    within(dripping).await;
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    others
}

#[tokio::test]
async fn a_slow_head_is_cut_while_others_are_served() {
    let server = TestServer::with(|config| config.ingest.header_timeout_seconds = 1).await;
    let mut raw = Raw::open(server.public).await;
    raw.send("POST /webhook HTTP/1.1\r\nx-slow: ").await;
    assert!(drip(&server, &mut raw, b"~").await > 2);
    assert_eq!(raw.end().await, b"");
}

#[tokio::test]
async fn who_says_nothing_is_cut() {
    let server = TestServer::with(|config| config.ingest.header_timeout_seconds = 1).await;
    let started = Instant::now();
    assert_eq!(Raw::open(server.public).await.end().await, b"");
    assert!(started.elapsed() < SOON);
}

#[tokio::test]
async fn who_says_nothing_more_is_cut() {
    let server = TestServer::with(|config| config.ingest.header_timeout_seconds = 1).await;
    let mut raw = Raw::open(server.public).await;
    raw.send(whole(&notice(1))).await;
    assert_eq!(raw.answer().await.status, 200);
    let started = Instant::now();
    assert_eq!(raw.end().await, b"");
    assert!(started.elapsed() < SOON);
}

#[tokio::test]
async fn a_slow_body_is_cut_while_others_are_served() {
    let server = TestServer::with(|config| config.ingest.body_timeout_seconds = 1).await;
    for (length, drop) in [
        ("content-length: 1000000", b"~".to_vec()),
        ("transfer-encoding: chunked", chunk(b"~")),
    ] {
        let mut raw = Raw::open(server.public).await;
        raw.send(head(&[length])).await;
        assert!(drip(&server, &mut raw, &drop).await > 2);
        let answer = raw.answer().await;
        assert_eq!(answer.status, 408);
        assert_eq!(answer.code(), "body-timeout");
        assert_eq!(raw.end().await, b"");
    }
    assert_eq!(events(&server).await.len(), 1, "that of the others");
}

#[tokio::test]
async fn a_body_that_never_begins_is_cut() {
    let server = TestServer::with(|config| config.ingest.body_timeout_seconds = 1).await;
    let mut raw = Raw::open(server.public).await;
    raw.send(head(&["content-length: 1"])).await;
    assert_eq!(raw.answer().await.code(), "body-timeout");
}

#[tokio::test]
async fn a_body_may_take_longer_than_a_head() {
    let server = TestServer::with(|config| config.ingest.header_timeout_seconds = 1).await;
    let request = whole(&notice(1));
    let (begin, rest) = request.split_at(request.len() - 1);
    let mut slow = Raw::open(server.public).await;
    slow.send(begin).await;
    // By then a head would have been cut.
    assert_eq!(Raw::open(server.public).await.end().await, b"");
    slow.send(rest).await;
    assert_eq!(slow.answer().await.json()["seq"], 1);
}
