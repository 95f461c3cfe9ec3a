//! Encoded or wrapped bodies: gzip, a byte order mark, and the `receiptId` wrapper.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::Method;
use serde_json::json;

use super::{bytes, event};
use crate::support::said::{self, NOON};
use crate::support::{Answer, TOKEN, TestServer, get, post, request};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn post_as(server: &TestServer, encoding: &str, body: Vec<u8>) -> Answer {
    let headers = [("authorization", TOKEN), ("content-encoding", encoding)];
    request(server.public, Method::POST, "/webhook", &headers, body).await
}

#[tokio::test]
async fn gzip_body_is_stored_decoded_and_is_a_duplicate_of_the_plain_one() {
    let server = TestServer::start().await;
    let body = said::text("A1", NOON, &"two loaves ".repeat(10_000)).to_string();
    for encoding in ["gzip", "GZIP", "x-gzip", "identity, gzip"] {
        let answer = post_as(&server, encoding, gzip(body.as_bytes())).await;
        assert_eq!(answer.status, 200, "{encoding}");
        assert_eq!(answer.json()["outcome"], "known", "{encoding}");
        assert_eq!(answer.json()["seq"], 1, "{encoding}");
    }
    assert_eq!(
        post(server.public, body.clone()).await.json()["repeated"],
        true
    );
    assert!(bytes(&server, 1).await == body.as_bytes());
    // Several gzip members form one body (RFC 1952, section 2.2).
    let (first, second) = body.as_bytes().split_at(1000);
    let members = [gzip(first), gzip(second)].concat();
    assert_eq!(post_as(&server, "gzip", members).await.json()["seq"], 1);
}

#[tokio::test]
async fn gzip_bomb_gets_413_and_frees_its_memory() {
    let server = TestServer::with(|config| {
        config.ingest.body_limit_bytes = 1_000_000;
        config.ingest.body_memory_bytes = 1_500_000;
    })
    .await;
    let bomb = gzip(&vec![b' '; 50_000_000]);
    assert!(bomb.len() < 100_000);
    for _ in 0..20 {
        let answer = post_as(&server, "gzip", bomb.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (413, "body-too-large")
        );
    }
    let body = said::text("A1", NOON, &"x".repeat(900_000)).to_string();
    assert_eq!(
        post_as(&server, "gzip", gzip(body.as_bytes())).await.status,
        200
    );
}

#[tokio::test]
async fn invalid_gzip_is_stored_as_received() {
    let server = TestServer::start().await;
    let whole = gzip(b"{\"typeWebhook\":\"note\"}");
    for (seq, body) in (1..).zip([whole[..whole.len() - 4].to_vec(), b"{}".to_vec()]) {
        let answer = post_as(&server, "gzip", body.clone()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["outcome"], "malformed");
        assert!(bytes(&server, seq).await == body);
    }
}

#[tokio::test]
async fn unsupported_codings_get_415_naming_gzip() {
    let server = TestServer::start().await;
    for encoding in ["br", "zstd", "deflate", "gzip, gzip", "gzip, br", "x"] {
        let answer = post_as(&server, encoding, b"{}".to_vec()).await;
        assert_eq!(answer.status, 415, "{encoding}");
        assert_eq!(answer.code(), "unsupported-content-encoding");
        assert_eq!(answer.header("accept-encoding"), "gzip");
    }
    // The source and the token are checked before the encoding.
    let headers = [("content-encoding", "br")];
    let answer = request(server.public, Method::POST, "/webhook", &headers, "{}").await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn byte_order_mark_is_skipped_by_the_parser_and_stored() {
    let server = TestServer::start().await;
    let body = format!("\u{feff}{}", said::text("A1", NOON, "still warm"));
    let answer = post(server.public, body.clone()).await;
    assert_eq!(answer.json()["outcome"], "known");
    assert!(bytes(&server, 1).await == body.as_bytes());
    let event = event(&server, 1).await;
    assert_eq!(event["idMessage"], "A1");
    assert_eq!(event["body"]["messageData"]["typeMessage"], "textMessage");
    assert_found(&server, "warm").await;
}

#[tokio::test]
async fn notification_wrapped_with_a_receipt_id_is_known() {
    let server = TestServer::start().await;
    let inner = said::text("A1", NOON, "still warm");
    for (seq, body) in (1..).zip([
        json!({ "receiptId": 1_234_567, "body": inner }).to_string(),
        format!(r#"{{"body": {inner}, "receiptId": "7"}}"#),
    ]) {
        let answer = post(server.public, body.clone()).await;
        assert_eq!(answer.json()["outcome"], "known", "{body}");
        assert!(bytes(&server, seq).await == body.as_bytes());
        let event = event(&server, seq).await;
        for (name, value) in [
            ("idMessage", "A1"),
            ("chatId", said::CHAT),
            ("typeMessage", "textMessage"),
        ] {
            assert_eq!(event[name], value, "{body}");
        }
        assert_eq!(event["idInstance"], said::INSTANCE);
        assert_eq!(event["timestamp"], NOON);
    }
    assert_found(&server, "warm").await;
    for odd in [
        json!({ "receiptId": 1, "body": "bread" }),
        json!({ "receiptId": 1, "body": null }),
        json!({ "receiptId": 1 }),
        json!({ "body": said::text("A2", NOON, "x") }),
        json!({ "receiptId": 1, "body": { "receiptId": 2, "body": said::text("A3", NOON, "x") } }),
    ] {
        let answer = post(server.public, odd.to_string()).await;
        assert_eq!(answer.json()["outcome"], "malformed", "{odd}");
    }
}

/// Asserts that the search for `word` finds exactly the one message.
async fn assert_found(server: &TestServer, word: &str) {
    let messages = get(server.private, &format!("/api/v1/messages?q={word}")).await;
    let messages = messages.json();
    assert_eq!(messages["data"].as_array().unwrap().len(), 1, "{messages}");
    assert_eq!(messages["data"][0]["text"], "still warm");
    assert_eq!(messages["data"][0]["idMessage"], "A1");
}
