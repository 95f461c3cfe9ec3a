//! Connections: how many, what a client may do on one, and heads that are no heads.

use super::{bytes, events, notice, seq};
use crate::support::raw::{Raw, bare_head, head, whole, within};
use crate::support::{Answer, TestServer, post};

fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503);
    assert_eq!(answer.code(), "unavailable");
    assert_eq!(answer.header("retry-after"), "60");
}

#[tokio::test]
async fn one_request_after_the_other() {
    let server = TestServer::start().await;
    let mut raw = Raw::open(server.public).await;
    for number in 1..=5 {
        raw.send(whole(&notice(number))).await;
        assert_eq!(seq(&raw.answer().await), i64::try_from(number).unwrap());
    }
    // A refusal of a request without a body does not end it either.
    raw.send(bare_head(&[])).await;
    assert_eq!(raw.answer().await.code(), "unauthorized");
    raw.send("GET /webhook HTTP/1.1\r\nhost: inbox.example\r\n\r\n")
        .await;
    assert_eq!(raw.answer().await.code(), "method-not-allowed");
    raw.send(whole(&notice(6))).await;
    assert_eq!(seq(&raw.answer().await), 6);
}

#[tokio::test]
async fn several_requests_at_once() {
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
async fn what_stands_in_a_refused_body_is_no_request() {
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
async fn heads_that_are_too_large_or_none() {
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
        // The server may close before it has read all of it.
        let _ = raw.try_send(&request).await;
        let status = raw.answer().await.status.as_u16();
        assert!(
            statuses.contains(&status),
            "{status}: {:?}",
            &request[..request.len().min(90)]
        );
        assert_eq!(post(server.public, notice(1)).await.status, 200);
    }
    // HTTP/2 is not spoken, so it is not answered either.
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

/// A connection that was served and is still open.
async fn served(server: &TestServer) -> Raw {
    let mut raw = Raw::open(server.public).await;
    raw.send(whole(&notice(1))).await;
    assert_eq!(raw.answer().await.status, 200);
    raw
}

#[tokio::test]
async fn one_connection_too_many() {
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
        "what was refused is not stored"
    );

    // When the server has seen that one is gone, another is served.
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
async fn connections_over_the_bound_are_bounded_too_and_the_oldest_gives_way() {
    let server = TestServer::with(|config| config.ingest.max_connections = 1).await;
    let mut first = served(&server).await;
    // These wait for their refusal, as they have not yet asked.
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

/// Linux takes all of 127.0.0.0/8 for this machine.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn strangers_have_a_share_of_the_connections() {
    let server = TestServer::with(|config| config.ingest.max_connections = 32).await;
    let stranger = || Raw::open_from([127, 0, 0, 2].into(), server.public);
    // One in 16; a connection that is served is one that was accepted.
    let (mut first, mut second) = (stranger().await, stranger().await);
    for raw in [&mut first, &mut second] {
        raw.send(whole(&notice(1))).await;
        assert_eq!(raw.answer().await.code(), "source-not-allowed");
    }
    for _ in 0..100 {
        assert_eq!(stranger().await.end().await, b"");
    }
    // The other places are as free as before.
    let mut others = Vec::new();
    for _ in 0..30 {
        others.push(served(&server).await);
    }
    assert_unavailable(&post(server.public, notice(2)).await);
}

#[tokio::test]
async fn the_private_listener_has_connections_of_its_own() {
    let server = TestServer::with(|config| config.ingest.max_connections = 1).await;
    let _first = served(&server).await;
    assert_unavailable(&post(server.public, notice(2)).await);
    assert_eq!(events(&server).await.len(), 1);
}
