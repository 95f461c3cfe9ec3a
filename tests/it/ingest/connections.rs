//! Connections: how many are served, keep-alive and pipelining, and invalid request heads.

use super::{bytes, events, notice, seq};
use crate::support::raw::{Raw, bare_head, head, whole, within};
use crate::support::{Answer, TestServer, post};

fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503);
    assert_eq!(answer.code(), "unavailable");
    assert_eq!(answer.header("retry-after"), "60");
}

#[tokio::test]
async fn sequential_requests_share_a_connection() {
    let server = TestServer::start().await;
    let mut raw = Raw::open(server.public).await;
    for number in 1..=5 {
        raw.send(whole(&notice(number))).await;
        assert_eq!(seq(&raw.answer().await), i64::try_from(number).unwrap());
    }
    // Refusing a request without a body does not close the connection either.
    raw.send(bare_head(&[])).await;
    assert_eq!(raw.answer().await.code(), "unauthorized");
    raw.send("GET /webhook HTTP/1.1\r\nhost: inbox.example\r\n\r\n")
        .await;
    assert_eq!(raw.answer().await.code(), "method-not-allowed");
    raw.send(whole(&notice(6))).await;
    assert_eq!(seq(&raw.answer().await), 6);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = TestServer::start().await;
    let mut raw = Raw::open(server.public).await;
    let chunked = head(&["transfer-encoding: chunked"]) + "2\r\n{}\r\n0\r\n\r\n";
    raw.send(
        [
            whole(&notice(1)),
            chunked,
            whole(""),
            whole(&notice(1)),
            whole(&notice(2)),
        ]
        .concat(),
    )
    .await;
    let mut seqs = Vec::new();
    for _ in 0..5 {
        seqs.push(seq(&raw.answer().await));
    }
    assert_eq!(seqs[..4], [1, 2, 3, 1]);
    assert_eq!(bytes(&server, seqs[4]).await, notice(2));
}

#[tokio::test]
async fn refused_body_is_not_parsed_as_a_request() {
    let server = TestServer::start().await;
    let inner = whole(&notice(1));
    for outer in [
        bare_head(&[&format!("content-length: {}", inner.len())]) + &inner,
        bare_head(&["transfer-encoding: chunked"])
            + &format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len()),
    ] {
        let mut raw = Raw::open(server.public).await;
        raw.send(outer).await;
        assert_eq!(raw.answer().await.code(), "unauthorized");
        raw.finish().await;
        assert_eq!(raw.end().await, b"");
    }
    assert!(events(&server).await.is_empty());
}

#[tokio::test]
async fn oversized_or_invalid_heads_are_refused() {
    let server = TestServer::start().await;
    let lines: Vec<_> = (0..200).map(|line| format!("x-{line}: ~")).collect();
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let long = "~".repeat(200_000);
    for (request, statuses) in [
        (head(&[&format!("x-long: {long}")]), &[431][..]),
        (head(&lines), &[431]),
        (
            format!("POST /webhook?{long} HTTP/1.1\r\n\r\n"),
            &[414, 431],
        ),
        ("POST /webhook\r\n\r\n".to_owned(), &[400]),
        ("POST /webhook HTTP/3.7\r\n\r\n".to_owned(), &[400]),
        ("PO ST /webhook HTTP/1.1\r\n\r\n".to_owned(), &[400]),
        (head(&["no colon"]), &[400]),
        (head(&["authorization : Bearer open-sesame"]), &[400]),
        (
            "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03\r\n\r\n".to_owned(),
            &[400],
        ),
    ] {
        let mut raw = Raw::open(server.public).await;
        // The server may close the connection before it has read everything.
        let _ = raw.try_send(&request).await;
        let status = raw.answer().await.status.as_u16();
        assert!(
            statuses.contains(&status),
            "{status}: {:?}",
            &request[..request.len().min(90)]
        );
        assert_eq!(post(server.public, notice(1)).await.status, 200);
    }
    // HTTP/2 is not supported: the server closes the connection without a response.
    let mut raw = Raw::open(server.public).await;
    raw.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert_eq!(raw.end().await, b"");
    assert_eq!(events(&server).await.len(), 1);

    let mut raw = Raw::open(server.public).await;
    raw.send(head(
        &[&[&lines[..50], &["content-length: 0"]].concat()[..]].concat(),
    ))
    .await;
    assert_eq!(raw.answer().await.status, 200);
}

/// A connection that has received a 200 and is still open.
async fn served(server: &TestServer) -> Raw {
    let mut raw = Raw::open(server.public).await;
    raw.send(whole(&notice(1))).await;
    assert_eq!(raw.answer().await.status, 200);
    raw
}

#[tokio::test]
async fn connection_over_the_bound_gets_503_until_one_closes() {
    let server = TestServer::with(|config| config.ingest.max_connections = 2).await;
    let mut first = served(&server).await;
    let mut second = served(&server).await;

    let mut third = Raw::open(server.public).await;
    third.send(whole(&notice(3))).await;
    let refusal = third.answer().await;
    assert_unavailable(&refusal);
    assert_eq!(refusal.header("connection"), "close");
    assert_eq!(third.end().await, b"");

    for (number, raw) in [(4, &mut first), (5, &mut second)] {
        raw.send(whole(&notice(number))).await;
        assert_eq!(raw.answer().await.status, 200);
    }
    assert_eq!(
        events(&server).await.len(),
        3,
        "the refused notification is not stored"
    );

    // Once the server notices that a connection is closed, it serves another one.
    drop(first);
    let free = async {
        loop {
            let answer = post(server.public, notice(3)).await;
            if answer.status == 200 {
                break;
            }
            assert_unavailable(&answer);
        }
    };
    within(free).await;
}

#[tokio::test]
async fn excess_connections_are_bounded_and_the_oldest_is_closed() {
    let server = TestServer::with(|config| config.ingest.max_connections = 1).await;
    let mut first = served(&server).await;
    // These connections have sent no request yet, so their refusal is still pending.
    let mut waiting = Vec::new();
    for _ in 0..65 {
        waiting.push(Raw::open(server.public).await);
    }
    assert_eq!(waiting.remove(0).end().await, b"");
    for mut raw in waiting {
        raw.send(whole(&notice(2))).await;
        assert_unavailable(&raw.answer().await);
    }
    first.send(whole(&notice(2))).await;
    assert_eq!(seq(&first.answer().await), 2);
}

/// On Linux every address in 127.0.0.0/8 is local, so the test can connect from an unlisted one.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn unlisted_peers_hold_at_most_their_share_of_connections() {
    let server = TestServer::with(|config| config.ingest.max_connections = 32).await;
    let unlisted = || Raw::open_from([127, 0, 0, 2].into(), server.public);
    // Unlisted peers hold 1/16 of 32 connections. A response proves that both were accepted.
    let (mut first, mut second) = (unlisted().await, unlisted().await);
    for raw in [&mut first, &mut second] {
        raw.send(whole(&notice(1))).await;
        assert_eq!(raw.answer().await.code(), "source-not-allowed");
    }
    for _ in 0..100 {
        assert_eq!(unlisted().await.end().await, b"");
    }
    // The other 30 connections are still free for listed peers.
    let mut others = Vec::new();
    for _ in 0..30 {
        others.push(served(&server).await);
    }
    assert_unavailable(&post(server.public, notice(2)).await);
}

#[tokio::test]
async fn private_listener_has_its_own_connection_bound() {
    let server = TestServer::with(|config| config.ingest.max_connections = 1).await;
    let _first = served(&server).await;
    assert_unavailable(&post(server.public, notice(2)).await);
    assert_eq!(events(&server).await.len(), 1);
}
