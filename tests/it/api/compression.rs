//! Response compression on the private listener.

use std::io::Read;

use flate2::read::GzDecoder;
use hyper::Method;

use super::{filled, note};
use crate::support::{Answer, Stream, TestServer, get, request};

const LIST: &str = "/api/v1/events?body=true";

async fn ask(server: &TestServer, method: Method, path: &str, encodings: &str) -> Answer {
    let headers = [("accept-encoding", encodings)];
    request(server.private, method, path, &headers, "").await
}

fn unpacked(answer: &Answer) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(&answer.body[..])
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

#[tokio::test]
async fn list_is_compressed_for_a_client_that_accepts_gzip() {
    let server = filled((1..=50).map(note)).await;
    let plain = get(server.private, LIST).await;
    for encodings in ["gzip", "GZIP", "br, zstd, gzip;q=0.1", "deflate, gzip, br"] {
        let answer = ask(&server, Method::GET, LIST, encodings).await;
        assert_eq!(answer.status, 200, "{encodings}");
        assert_eq!(answer.header("content-encoding"), "gzip");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("vary"), "accept-encoding");
        assert!(answer.body.len() * 4 < plain.body.len(), "{encodings}");
        assert_eq!(unpacked(&answer), plain.body, "{encodings}");

        let head = ask(&server, Method::HEAD, LIST, encodings).await;
        assert_eq!(head.header("content-encoding"), "gzip");
        assert!(head.body.is_empty());
        assert!(!head.headers.contains_key("content-length"), "{head:?}");
    }
}

#[tokio::test]
async fn response_is_not_compressed_for_a_client_that_does_not_accept_gzip() {
    let server = filled((1..=50).map(note)).await;
    let plain = get(server.private, LIST).await;
    assert_eq!(plain.header("vary"), "accept-encoding");
    assert!(!plain.headers.contains_key("content-encoding"));
    for encodings in ["", "identity", "gzip;q=0", "br, zstd, deflate"] {
        let answer = ask(&server, Method::GET, LIST, encodings).await;
        assert_eq!(answer.status, 200, "{encodings}");
        assert!(!answer.headers.contains_key("content-encoding"));
        assert_eq!(answer.header("vary"), "accept-encoding");
        assert_eq!(answer.body, plain.body, "{encodings}");
    }
}

#[tokio::test]
async fn small_response_is_not_compressed() {
    let server = filled([note(1)]).await;
    for path in ["/livez", "/nothing", "/api/v1/events", "/api/v1/events/1"] {
        let answer = ask(&server, Method::GET, path, "gzip").await;
        assert!(!answer.headers.contains_key("content-encoding"), "{path}");
        assert_eq!(answer.body, get(server.private, path).await.body);
    }
}

#[tokio::test]
async fn raw_body_is_never_compressed() {
    let body = format!(r#"{{"typeWebhook":"note","text":"{}"}}"#, "a".repeat(4096));
    let server = filled([body.clone()]).await;
    let event = ask(&server, Method::GET, "/api/v1/events/1", "gzip").await;
    assert_eq!(event.header("content-encoding"), "gzip");

    let path = "/api/v1/events/1/body";
    let plain = get(server.private, path).await;
    let answer = ask(&server, Method::GET, path, "gzip").await;
    assert_eq!(answer.body, body);
    assert!(!answer.headers.contains_key("content-encoding"));
    // There is only one encoding, so one strong ETag is right for every client.
    assert_eq!(answer.header("etag"), plain.header("etag"));
    for answer in [plain, answer] {
        assert!(!answer.headers.contains_key("vary"), "{answer:?}");
    }
    let headers = [("accept-encoding", "gzip"), ("if-none-match", "*")];
    let known = request(server.private, Method::GET, path, &headers, "").await;
    assert_eq!(known.status, 304);
    assert!(!known.headers.contains_key("content-encoding"), "{known:?}");
}

#[tokio::test]
async fn stream_is_not_held_back_by_compression() {
    let server = filled((1..=50).map(note)).await;
    let headers = [("accept-encoding", "gzip")];
    let path = "/api/v1/stream?after=0";
    let mut stream = Stream::open(server.private, path, &headers).await.unwrap();
    for seq in 1..=50 {
        assert_eq!(stream.next().await.unwrap().id, seq);
    }
}
