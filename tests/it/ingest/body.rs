//! Request bodies: a complete body is stored byte for byte, an incomplete one is not stored.

use tokio::net::TcpStream;

use super::{SMALL, bytes, event, events, notice, padded, seq, small};
use crate::support::raw::{Raw, chunk, head, whole, within};
use crate::support::{TestServer, post};

const CHUNKED: &str = "transfer-encoding: chunked";

/// Posts `body` and asserts that exactly these bytes are stored as malformed.
async fn assert_kept_as_malformed(server: &TestServer, body: &[u8]) {
    let answer = post(server.public, body.to_vec()).await;
    let seq = seq(&answer);
    let shown = body[..body.len().min(60)].escape_ascii();
    assert_eq!(answer.json()["outcome"], "malformed", "{shown}");
    assert!(bytes(server, seq).await == body, "{shown}");
    assert!(event(server, seq).await["reason"].is_string(), "{shown}");
}

#[tokio::test]
async fn malformed_bodies_of_every_kind_are_stored_unchanged() {
    let server = TestServer::start().await;
    let nested = |levels: usize, open: &str, close: &str| {
        format!(
            r#"{{"typeWebhook":"cupOfTeaPoured","a":{}{}}}"#,
            open.repeat(levels),
            close.repeat(levels)
        )
    };
    let bodies: [&[u8]; 23] = [
        b"",
        b" \r\n\t",
        b"{",
        b"}",
        b"[]",
        b"[{\"typeWebhook\":\"cupOfTeaPoured\"}]",
        b"2",
        b"-0.5e3",
        b"null",
        b"\"typeWebhook\"",
        b"{}",
        br#"{"typeWebhook":null}"#,
        br#"{"typeWebhook":""}"#,
        br#"{"typeWebhook":["cupOfTeaPoured"]}"#,
        // JSON numbers must not start with a zero, yet GREEN-API's own sample requests do.
        br#"{"typeWebhook":"outgoingCall","instanceData":{"idInstance":000001}}"#,
        br#"{"typeWebhook":"cupOfTeaPoured","typeWebhook":"outgoingCall"}"#,
        br#"{"typeWebhook":"cupOfTeaPoured",}"#,
        br#"{"typeWebhook":"cupOfTeaPoured"} {}"#,
        b"{\"typeWebhook\":\"cupOfTea\xc3\x28\"}",
        b"\xff\xfe{\0}\0",
        b"{\"typeWebhook\":\"cupOfTea\0Poured\"}",
        b"\0",
        b"typeWebhook=cupOfTeaPoured",
    ];
    for body in bodies {
        assert_kept_as_malformed(&server, body).await;
    }
    for body in [
        nested(200, "[", "]"),
        nested(200, r#"{"a":"#, "}"),
        "[".repeat(100_000),
    ] {
        assert_kept_as_malformed(&server, body.as_bytes()).await;
    }
    let count = events(&server).await.len();
    assert_eq!(count, bodies.len() + 3, "all bodies are distinct");
}

/// Pseudorandom numbers (xorshift) that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.roll(256)).unwrap()
    }
}

#[tokio::test]
async fn random_bytes_are_stored_unchanged() {
    let server = TestServer::start().await;
    let mut dice = Dice(0x5EED);
    for _ in 0..50 {
        let length = dice.roll(3000);
        let body: Vec<u8> = (0..length).map(|_| dice.byte()).collect();
        assert_kept_as_malformed(&server, &body).await;
    }
}

#[tokio::test]
async fn corrupted_or_truncated_notifications_are_stored_unchanged() {
    let server = TestServer::start().await;
    let mut dice = Dice(0xBEA7);
    for number in 0..50 {
        let mut body = notice(number).into_bytes();
        if number % 2 == 0 {
            let at = dice.roll(body.len());
            body[at] ^= dice.byte() | 1;
        } else {
            body.truncate(dice.roll(body.len()));
        }
        // Whatever the outcome, the stored body must equal what was sent.
        let seq = seq(&post(server.public, body.clone()).await);
        assert_eq!(bytes(&server, seq).await, body);
    }
}

#[tokio::test]
async fn mebibyte_of_every_byte_value_is_stored_unchanged() {
    let server = TestServer::start().await;
    let body: Vec<u8> = (0..=u8::MAX).cycle().take(1 << 20).collect();
    assert_kept_as_malformed(&server, &body).await;
}

#[tokio::test]
async fn chunked_body_is_reassembled() {
    let server = TestServer::start().await;
    let body = notice(1);
    for size in [1, 7, body.len()] {
        let mut raw = Raw::open(server.public).await;
        raw.send(head(&[CHUNKED])).await;
        for data in body.as_bytes().chunks(size) {
            raw.send(chunk(data)).await;
        }
        // Trailers are ignored.
        raw.send("0\r\nx-checksum: 1\r\n\r\n").await;
        assert_eq!(raw.answer().await.json()["seq"], 1);
    }
    assert_eq!(bytes(&server, 1).await, body);
    assert_eq!(event(&server, 1).await["deliveries"], 3);

    let mut raw = Raw::open(server.public).await;
    raw.send(head(&[CHUNKED]) + "0\r\n\r\n").await;
    let answer = raw.answer().await;
    assert_eq!(answer.json()["outcome"], "malformed");
    assert!(bytes(&server, seq(&answer)).await.is_empty());
}

#[tokio::test]
async fn post_without_a_length_has_an_empty_body() {
    let server = TestServer::start().await;
    let mut raw = Raw::open(server.public).await;
    raw.send(head(&[])).await;
    assert_eq!(raw.answer().await.json()["outcome"], "malformed");
    assert!(bytes(&server, 1).await.is_empty());
}

#[tokio::test]
async fn body_at_the_limit_is_stored_and_one_byte_more_gets_413() {
    let server = TestServer::with(small).await;
    let fits = padded(1, SMALL as usize);
    let over = padded(2, SMALL as usize + 1);
    assert_eq!(seq(&post(server.public, fits.clone()).await), 1);
    assert_eq!(
        post(server.public, over.clone()).await.code(),
        "body-too-large"
    );

    for size in [1, 100, over.len()] {
        let chunked = |body: &str| {
            let mut request = head(&[CHUNKED]).into_bytes();
            for data in body.as_bytes().chunks(size) {
                request.extend(chunk(data));
            }
            request.extend(b"0\r\n\r\n");
            request
        };
        let mut raw = Raw::open(server.public).await;
        raw.send(chunked(&fits)).await;
        assert_eq!(seq(&raw.answer().await), 1);
        raw.send(chunked(&over)).await;
        assert_eq!(raw.answer().await.code(), "body-too-large");
    }
    assert_eq!(events(&server).await.len(), 1);
}

#[tokio::test]
async fn endless_chunked_body_gets_413_at_the_limit() {
    let server = TestServer::with(small).await;
    let mut raw = Raw::open(server.public).await;
    raw.send(head(&[CHUNKED])).await;
    raw.send(chunk(&[b'~'; SMALL as usize])).await;
    raw.send(chunk(b"~")).await;
    // The body never ends: the server must respond without waiting for the rest.
    assert_eq!(raw.answer().await.code(), "body-too-large");
}

#[tokio::test]
async fn client_that_writes_before_reading_still_reads_the_refusal() {
    let server = TestServer::with(small).await;
    for bytes in [SMALL as usize + 1, 100_000, 8_000_000] {
        let body = padded(1, bytes);
        for lines in [format!("content-length: {bytes}"), CHUNKED.to_owned()] {
            let mut raw = Raw::open(server.public).await;
            let mut request = head(&[&lines]).into_bytes();
            if lines == CHUNKED {
                request.extend(chunk(body.as_bytes()));
                request.extend(b"0\r\n\r\n");
            } else {
                request.extend(body.as_bytes());
            }
            // The server may close the connection before it has read everything.
            let _ = raw.try_send(request).await;
            assert_eq!(
                raw.answer().await.code(),
                "body-too-large",
                "{bytes} {lines}"
            );
        }
    }
}

/// A proxy keeps writing after the refusal and then reuses the connection.
#[tokio::test]
async fn refused_body_is_drained_and_the_connection_stays_usable() {
    let server = TestServer::with(small).await;
    let body = padded(1, SMALL as usize * 2);
    let mut raw = Raw::open(server.public).await;
    raw.send(head(&[&format!("content-length: {}", body.len())]))
        .await;
    assert_eq!(raw.answer().await.code(), "body-too-large");
    raw.send(&body[..SMALL as usize / 2]).await;
    raw.send(&body[SMALL as usize / 2..]).await;
    raw.send(whole(&notice(1))).await;
    assert_eq!(seq(&raw.answer().await), 1);
}

#[tokio::test]
async fn incomplete_body_is_not_stored() {
    let server = TestServer::start().await;
    let body = notice(1);
    let half = &body[..body.len() / 2];
    let sized = head(&[&format!("content-length: {}", body.len())]);
    let chunked = head(&[CHUNKED]);
    let chunk = String::from_utf8(chunk(half.as_bytes())).unwrap();
    for request in [
        sized.clone(),
        format!("{sized}{half}"),
        format!("{sized}{}", &body[..body.len() - 1]),
        chunked.clone(),
        // Cut inside a chunk, after a chunk, and inside the terminating chunk.
        format!("{chunked}{:x}\r\n{half}", body.len()),
        format!("{chunked}{chunk}"),
        format!("{chunked}{chunk}0\r\n"),
    ] {
        let mut raw = Raw::open(server.public).await;
        raw.send(&request).await;
        raw.finish().await;
        let answer = String::from_utf8(raw.end().await).unwrap();
        assert!(!answer.starts_with("HTTP/1.1 2"), "{request:?}: {answer:?}");
    }
    assert!(events(&server).await.is_empty());
    assert_eq!(seq(&post(server.public, body).await), 1);
}

#[tokio::test]
async fn invalid_length_is_refused_and_not_stored() {
    let server = TestServer::start().await;
    for request in [
        head(&["content-length: -1"]),
        head(&["content-length: 0x10"]),
        head(&["content-length: 99999999999999999999999"]),
        head(&["content-length: 18446744073709551615"]),
        head(&["content-length: 5", "content-length: 6"]) + "abcdef",
        head(&["transfer-encoding: gzip"]) + "abcdef",
        head(&[CHUNKED]) + "zz\r\nabcdef\r\n0\r\n\r\n",
        head(&[CHUNKED]) + "-1\r\nabcdef\r\n0\r\n\r\n",
        head(&[CHUNKED]) + "fffffffffffffffff\r\nabcdef\r\n0\r\n\r\n",
        head(&[CHUNKED]) + "3\r\nabcdef\r\n0\r\n\r\n",
    ] {
        let mut raw = Raw::open(server.public).await;
        raw.send(&request).await;
        let answer = raw.answer().await;
        assert!(answer.status.is_client_error(), "{request:?}: {answer:?}");
    }
    assert!(events(&server).await.is_empty());
    assert_eq!(post(server.public, notice(1)).await.status, 200);
}

#[tokio::test]
async fn body_in_progress_at_shutdown_is_stored() {
    let server = TestServer::start().await;
    let public = server.public;
    let body = notice(1);
    let mut raw = Raw::open(public).await;
    let length = format!("content-length: {}", body.len());
    raw.send(head(&[&length, "expect: 100-continue"])).await;
    assert_eq!(raw.answer().await.status, 100);

    let stopping = tokio::spawn(server.stop());
    // Refused connections show that the listener is closed.
    within(async { while TcpStream::connect(public).await.is_ok() {} }).await;
    raw.send(&body).await;
    assert_eq!(seq(&raw.answer().await), 1);
    assert_eq!(raw.end().await, b"");

    let server = TestServer::at(stopping.await.unwrap(), |_| {}).await;
    assert_eq!(bytes(&server, 1).await, body);
}
