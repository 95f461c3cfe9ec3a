//! The bodies that are in memory at one time are bounded together.

use super::{SMALL, events, notice, padded, seq, small};
use crate::support::raw::{Raw, chunk, head, within};
use crate::support::{TestServer, post};

/// There is room for one body of the largest size.
async fn server() -> TestServer {
    TestServer::with(|config| {
        small(config);
        config.ingest.body_memory_bytes = SMALL;
    })
    .await
}

/// Half of a body that takes all the memory there is; the server has set it aside.
async fn half_way(server: &TestServer, body: &str) -> Raw {
    let mut raw = Raw::open(server.public).await;
    let length = format!("content-length: {}", body.len());
    raw.send(head(&[&length, "expect: 100-continue"])).await;
    // It says so when it begins to read.
    assert_eq!(raw.answer().await.status, 100);
    raw.send(&body[..body.len() / 2]).await;
    raw
}

#[tokio::test]
async fn where_there_is_no_room_it_comes_again_later() {
    let server = server().await;
    let body = padded(1, SMALL as usize);
    let mut first = half_way(&server, &body).await;

    let refusal = post(server.public, notice(2)).await;
    assert_eq!(refusal.status, 503);
    assert_eq!(refusal.code(), "unavailable");
    assert_eq!(refusal.header("retry-after"), "60");

    first.send(&body[body.len() / 2..]).await;
    assert_eq!(seq(&first.answer().await), 1);
    // An answer is given when the memory is free again, so that the next may be as large.
    for number in 2..30 {
        let answer = post(server.public, padded(number, SMALL as usize)).await;
        assert_eq!(seq(&answer), i64::try_from(number).unwrap());
    }
}

/// Posts until there is room, which has to be soon.
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
async fn who_leaves_half_way_leaves_no_hole() {
    let server = server().await;
    let body = padded(1, SMALL as usize);
    for _ in 0..5 {
        let raw = half_way(&server, &body).await;
        assert_eq!(post(server.public, notice(2)).await.status, 503);
        drop(raw);
        assert_room(&server, &padded(2, SMALL as usize)).await;
    }
    assert_eq!(events(&server).await.len(), 1);
}

#[tokio::test]
async fn refusals_leave_no_hole() {
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
async fn chunks_count_as_they_come() {
    let server = server().await;
    let body = padded(1, SMALL as usize);
    let mut raw = Raw::open(server.public).await;
    raw.send(head(&["transfer-encoding: chunked"])).await;
    raw.send(chunk(&body.as_bytes()[..600])).await;
    // The server comes to read it.
    let read = async { while post(server.public, padded(2, 500)).await.status == 200 {} };
    within(read).await;
    assert_eq!(
        post(server.public, padded(3, 424)).await.status,
        200,
        "there is room for less"
    );
    raw.send(chunk(&body.as_bytes()[600..])).await;
    raw.send("0\r\n\r\n").await;
    assert_eq!(raw.answer().await.status, 200);
    assert_eq!(
        post(server.public, padded(4, SMALL as usize)).await.status,
        200
    );
}
