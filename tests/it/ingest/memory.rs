//! The total size of all request bodies in memory is bounded.

use super::{SMALL, events, notice, padded, seq, small};
use crate::support::raw::{Raw, chunk, head, within};
use crate::support::{TestServer, post};

/// A server whose body memory holds exactly one body of the maximum size.
async fn server() -> TestServer {
    TestServer::with(|config| {
        small(config);
        config.ingest.body_memory_bytes = SMALL;
    })
    .await
}

/// Sends half of a body for which the server has reserved all its body memory.
async fn send_half(server: &TestServer, body: &str) -> Raw {
    let mut raw = Raw::open(server.public).await;
    let length = format!("content-length: {}", body.len());
    raw.send(head(&[&length, "expect: 100-continue"])).await;
    // The server sends 100 Continue when it starts to read the body.
    assert_eq!(raw.answer().await.status, 100);
    raw.send(&body[..body.len() / 2]).await;
    raw
}

#[tokio::test]
async fn full_body_memory_refuses_with_503_until_it_is_freed() {
    let server = server().await;
    let body = padded(1, SMALL as usize);
    let mut first = send_half(&server, &body).await;

    let refusal = post(server.public, notice(2)).await;
    assert_eq!(refusal.status, 503);
    assert_eq!(refusal.code(), "unavailable");
    assert_eq!(refusal.header("retry-after"), "60");

    first.send(&body[body.len() / 2..]).await;
    assert_eq!(seq(&first.answer().await), 1);
    // The memory is freed before the response is sent, so the next body may be just as large.
    for number in 2..30 {
        let answer = post(server.public, padded(number, SMALL as usize)).await;
        assert_eq!(seq(&answer), i64::try_from(number).unwrap());
    }
}

/// Posts `body` until there is memory for it, and fails when that takes too long.
async fn assert_room(server: &TestServer, body: &str) {
    let room = async {
        loop {
            let answer = post(server.public, body.to_owned()).await;
            if answer.status == 200 {
                break;
            }
            assert_eq!(answer.status, 503);
        }
    };
    within(room).await;
}

#[tokio::test]
async fn client_that_disconnects_midway_frees_its_memory() {
    let server = server().await;
    let body = padded(1, SMALL as usize);
    for _ in 0..5 {
        let raw = send_half(&server, &body).await;
        assert_eq!(post(server.public, notice(2)).await.status, 503);
        drop(raw);
        assert_room(&server, &padded(2, SMALL as usize)).await;
    }
    assert_eq!(events(&server).await.len(), 1);
}

#[tokio::test]
async fn refused_bodies_free_their_memory() {
    let server = server().await;
    for number in 0..20 {
        let over = post(server.public, padded(number, SMALL as usize + 1)).await;
        assert_eq!(over.status, 413);
        let mut raw = Raw::open(server.public).await;
        raw.send(head(&["transfer-encoding: chunked"])).await;
        raw.send(chunk(&[b'~'; SMALL as usize])).await;
        raw.send(chunk(b"~")).await;
        assert_eq!(raw.answer().await.status, 413);
    }
    assert_room(&server, &padded(1, SMALL as usize)).await;
}

#[tokio::test]
async fn chunks_reserve_memory_as_they_arrive() {
    let server = server().await;
    let body = padded(1, SMALL as usize);
    let mut raw = Raw::open(server.public).await;
    raw.send(head(&["transfer-encoding: chunked"])).await;
    raw.send(chunk(&body.as_bytes()[..600])).await;
    // Wait until the server has read the first chunk.
    let read = async { while post(server.public, padded(2, 500)).await.status == 200 {} };
    within(read).await;
    assert_eq!(
        post(server.public, padded(3, 424)).await.status,
        200,
        "a smaller body still fits"
    );
    raw.send(chunk(&body.as_bytes()[600..])).await;
    raw.send("0\r\n\r\n").await;
    assert_eq!(raw.answer().await.status, 200);
    assert_eq!(
        post(server.public, padded(4, SMALL as usize)).await.status,
        200
    );
}
