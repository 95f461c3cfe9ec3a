//! What a request looks like: body, signature, headers.

use std::fs;

use green_inbox::config::ForwardBody;
use green_inbox::outbound::sign;

use super::{say, to};
use crate::support::said::CHAT;
use crate::support::{Sink, TestServer, get, post};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn key(secret: &str) -> Vec<u8> {
    let text = secret.strip_prefix("whsec_").unwrap();
    data_encoding::BASE64.decode(text.as_bytes()).unwrap()
}

#[tokio::test]
async fn raw_body_is_the_bytes_received_signed_with_each_secret() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = folder.path().join("secrets");
    fs::write(&secrets, format!("{SECRET}\n{NEW_SECRET}\n")).unwrap();
    let headers = folder.path().join("headers");
    fs::write(
        &headers,
        "# of the CRM\nAuthorization: Bearer swordfish\n\nX-Team:  blue\n",
    )
    .unwrap();
    let sink = Sink::start().await;
    let server = TestServer::with(to(&sink, |forward| {
        forward.secret_file = Some(secrets);
        forward.headers_file = Some(headers);
    }))
    .await;
    let odd = "{ \"typeWebhook\": \"odd\",\u{20}\"x\": 1e3 }";
    post(server.public, odd).await;
    let got = sink.wait_for(|_| true).await;
    assert_eq!(
        (got.method.as_str(), got.path.as_str()),
        ("POST", "/events")
    );
    assert_eq!(got.body, odd);
    assert_eq!(got.header("content-type"), "application/json");
    assert_eq!(got.header("green-inbox-seq"), "1");
    assert_eq!(got.header("authorization"), "Bearer swordfish");
    assert_eq!(got.header("x-team"), "blue");
    let timestamp = got.header("webhook-timestamp").parse().unwrap();
    let keys = [key(SECRET), key(NEW_SECRET)];
    let expected = sign(&keys, got.header("webhook-id"), timestamp, odd.as_bytes());
    assert_eq!(got.header("webhook-signature"), expected);
    post(server.public, "not JSON").await;
    let got = sink.wait_for(|got| got.body == "not JSON").await;
    assert_eq!(got.header("content-type"), "application/octet-stream");
    server.stop().await;
}

#[tokio::test]
async fn event_body_is_the_event_as_the_api_shows_it() {
    let sink = Sink::start().await;
    let server = TestServer::with(to(&sink, |forward| forward.body = ForwardBody::Event)).await;
    say(&server, CHAT, "A1").await;
    let got = sink.wait_for(|_| true).await;
    assert!(!got.headers.contains_key("webhook-signature"), "no secret");
    let shown = get(server.private, "/api/v1/events/1").await.json();
    assert_eq!(got.json(), shown);
    assert_eq!(shown["body"]["idMessage"], "A1");
    server.stop().await;
}
