//! The bytes: all that come whole are kept as they came, and none that do not.

use tokio::net::TcpStream;

use super::{SMALL, bytes, event, events, notice, padded, seq, small};
use crate::support::raw::{Raw, chunk, head, whole, within};
use crate::support::{TestServer, post};

const CHUNKED: &str = "transfer-encoding: chunked";

/// Posts `body` and finds the very same bytes stored as malformed.
async fn assert_kept_as_malformed(server: &TestServer, body: &[u8]) {
    let answer = post(server.public, body.to_vec()).await;
    let seq = seq(&answer);
    let shown = body[..body.len().min(60)].escape_ascii();
    assert_eq!(answer.json()["outcome"], "malformed", "{shown}");
    assert!(bytes(server, seq).await == body, "{shown}");
    assert!(event(server, seq).await["reason"].is_string(), "{shown}");
}

#[tokio::test]
async fn malformed_bodies_of_every_kind_are_kept() {
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
        // A number may not begin with a zero; GREEN-API's own sample requests have this form.
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
    assert_eq!(count, bodies.len() + 3, "no two of them are the same");
}

/// Numbers that look random and are the same in each run (xorshift).
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
async fn random_bytes_are_kept() {
    let server = TestServer::start().await;
    let mut dice = Dice(0x5EED);
    for _ in 0..50 {
        let length = dice.roll(3000);
        let body: Vec<u8> = (0..length).map(|_| dice.byte()).collect();
        assert_kept_as_malformed(&server, &body).await;
    }
}

#[tokio::test]
async fn notifications_with_a_byte_bent_or_a_tail_cut_are_kept() {
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
        // Whatever it is now, it is what has to come back.
        let seq = seq(&post(server.public, body.clone()).await);
        assert_eq!(bytes(&server, seq).await, body);
    }
}

#[tokio::test]
async fn a_mebibyte_of_every_byte_is_kept() {
    let server = TestServer::start().await;
    let body: Vec<u8> = (0..=u8::MAX).cycle().take(1 << 20).collect();
    assert_kept_as_malformed(&server, &body).await;
}

#[tokio::test]
async fn chunks_are_put_together() {
    let server = TestServer::start().await;
    let body = notice(1);
    for size in [1, 7, body.len()] {
        let mut raw = Raw::open(server.public).await;
        raw.send(head(&[CHUNKED])).await;
        for data in body.as_bytes().chunks(size) {
            raw.send(chunk(data)).await;
        }
        // A trailer says nothing that is wanted.
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
async fn a_post_that_names_no_length_has_an_empty_body() {
    let server = TestServer::start().await;
    let mut raw = Raw::open(server.public).await;
    raw.send(head(&[])).await;
    assert_eq!(raw.answer().await.json()["outcome"], "malformed");
    assert!(bytes(&server, 1).await.is_empty());
}

#[tokio::test]
async fn at_the_limit_and_one_over() {
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
async fn a_chunked_body_is_cut_off_where_it_is_over() {
    let server = TestServer::with(small).await;
    let mut raw = Raw::open(server.public).await;
    raw.send(head(&[CHUNKED])).await;
    raw.send(chunk(&[b'~'; SMALL as usize])).await;
    raw.send(chunk(b"~")).await;
    // It has no end, and is not waited for.
    assert_eq!(raw.answer().await.code(), "body-too-large");
}

#[tokio::test]
async fn who_writes_all_before_reading_sees_the_refusal() {
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
            // The server may close before it has read all of it.
            let _ = raw.try_send(request).await;
            assert_eq!(
                raw.answer().await.code(),
                "body-too-large",
                "{bytes} {lines}"
            );
        }
    }
}

/// A proxy goes on writing after the refusal, and uses the connection again.
#[tokio::test]
async fn a_refused_body_is_read_on() {
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
async fn a_body_that_stops_half_way_is_not_stored() {
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
        // Within a chunk, behind it, and within the end.
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
async fn a_length_that_cannot_be_is_not_stored() {
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
async fn a_body_that_was_begun_before_the_stop_is_taken() {
    let server = TestServer::start().await;
    let public = server.public;
    let body = notice(1);
    let mut raw = Raw::open(public).await;
    let length = format!("content-length: {}", body.len());
    raw.send(head(&[&length, "expect: 100-continue"])).await;
    assert_eq!(raw.answer().await.status, 100);

    let stopping = tokio::spawn(server.stop());
    // It has stopped once nobody can connect any more.
    within(async { while TcpStream::connect(public).await.is_ok() {} }).await;
    raw.send(&body).await;
    assert_eq!(seq(&raw.answer().await), 1);
    assert_eq!(raw.end().await, b"");

    let server = TestServer::at(stopping.await.unwrap(), |_| {}).await;
    assert_eq!(bytes(&server, 1).await, body);
}
