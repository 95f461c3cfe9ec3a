//! `GET /metrics`: what a scrape shows after requests.

use std::collections::BTreeMap;

use green_inbox::config::Token;
use hyper::Method;
use serde_json::json;

use super::{entries, note, say};
use crate::support::said::{self, CHAT, INSTANCE};
use crate::support::server::START;
use crate::support::{Stream, TOKEN, TestServer, get, next_look, post, request};

/// The samples of a scrape: name and labels, then the value.
async fn scrape(server: &TestServer) -> BTreeMap<String, String> {
    let answer = get(server.private, "/metrics").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = std::str::from_utf8(&answer.body).unwrap();
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

/// A value that the scrape must have.
fn value<'s>(samples: &'s BTreeMap<String, String>, name: &str) -> &'s str {
    let name = format!("green_inbox_{name}");
    samples
        .get(&name)
        .unwrap_or_else(|| panic!("no {name}: {samples:#?}"))
}

fn bytes(value: &str) -> u64 {
    value.parse().unwrap()
}

#[tokio::test]
async fn stored_notifications_are_counted_by_type_outcome_and_duplicate() {
    let server = TestServer::with(|config| {
        config.ingest.ignored_types = vec!["stateInstanceChanged".into()];
    })
    .await;
    let text = said::text("A1", START / 1000 - 90, "Good morning");
    let mut malformed = said::text("A2", START / 1000, "");
    malformed["messageData"] = json!([]);
    let ignored = json!({
        "typeWebhook": "stateInstanceChanged",
        "instanceData": { "idInstance": INSTANCE },
        "stateInstance": "authorized",
    });
    say(&server, [text.clone(), text, malformed, ignored]).await;
    post(server.public, note(1)).await;
    // A list waits for the projection.
    entries(&server, "/api/v1/instances").await;
    let samples = scrape(&server).await;
    for (labels, count) in [
        (
            r#"type_webhook="incomingMessageReceived",outcome="known",duplicate="false""#,
            "1",
        ),
        (
            r#"type_webhook="incomingMessageReceived",outcome="known",duplicate="true""#,
            "1",
        ),
        (
            r#"type_webhook="other",outcome="unknown",duplicate="false""#,
            "1",
        ),
        (
            r#"type_webhook="other",outcome="malformed",duplicate="false""#,
            "1",
        ),
        (
            r#"type_webhook="stateInstanceChanged",outcome="ignored",duplicate="false""#,
            "1",
        ),
    ] {
        let name = format!("notifications_total{{{labels}}}");
        assert_eq!(value(&samples, &name), count, "{labels}");
    }
    assert_eq!(value(&samples, "request_duration_seconds_count"), "5");
    // The duplicate has its own commit; what was ignored has none.
    assert_eq!(value(&samples, "commit_rows_sum"), "4.0");
    assert_eq!(value(&samples, "waiting"), "0");
    // The text was 90 s on its way, and its duplicate does not count.
    assert_eq!(
        value(&samples, r#"delivery_lag_seconds_bucket{le="60"}"#),
        "1"
    );
    assert_eq!(
        value(&samples, r#"delivery_lag_seconds_bucket{le="300"}"#),
        "2"
    );
    assert_eq!(value(&samples, "projection_lag_events"), "0");
    assert!(bytes(value(&samples, r#"database_bytes{file="database"}"#)) > 0);
    assert!(bytes(value(&samples, r#"database_bytes{file="wal"}"#)) > 0);
    assert!(bytes(value(&samples, r#"database_bytes{file="projection"}"#)) > 0);
    assert!(bytes(value(&samples, "disk_free_bytes")) > 0);
    let build = format!(
        r#"build_info{{version="{}",sqlite="3."#,
        env!("CARGO_PKG_VERSION")
    );
    assert!(
        samples
            .keys()
            .any(|name| name.starts_with(&format!("green_inbox_{build}"))),
        "{samples:#?}"
    );
}

#[tokio::test]
async fn refused_requests_are_counted_by_reason() {
    let server = TestServer::with(|config| config.ingest.body_limit_bytes = 1024).await;
    let send = async |headers: &[(&str, &str)], body: String| {
        request(server.public, Method::POST, "/webhook", headers, body)
            .await
            .status
    };
    assert_eq!(
        send(&[("authorization", "Bearer guess")], note(1)).await,
        401
    );
    assert_eq!(send(&[], note(1)).await, 401);
    let good = ("authorization", TOKEN);
    assert_eq!(send(&[good], "x".repeat(1025)).await, 413);
    assert_eq!(
        send(&[good, ("x-forwarded-for", "203.0.113.9")], note(1)).await,
        403
    );
    let samples = scrape(&server).await;
    for reason in [
        "wrong-token",
        "no-token",
        "body-too-large",
        "source-not-allowed",
    ] {
        let name = format!(r#"rejections_total{{reason="{reason}"}}"#);
        assert_eq!(value(&samples, &name), "1", "{reason}");
    }
    assert!(
        !samples
            .keys()
            .any(|name| name.contains("notifications_total")),
        "{samples:#?}"
    );
}

#[tokio::test]
async fn last_notification_of_an_account_is_known_after_a_restart() {
    let name = format!(r#"last_notification_timestamp_seconds{{id_instance="{INSTANCE}"}}"#);
    let server = TestServer::start().await;
    say(&server, [said::text("A1", 5, "Good morning")]).await;
    assert_eq!(
        value(&scrape(&server).await, &name),
        (START / 1000).to_string()
    );
    let server = TestServer::at(server.stop().await, |_| {}).await;
    // The accounts are read while the server already answers.
    loop {
        let samples = scrape(&server).await;
        if let Some(seconds) = samples.get(&format!("green_inbox_{name}")) {
            assert_eq!(*seconds, (START / 1000).to_string());
            break;
        }
        next_look().await;
    }
}

#[tokio::test]
async fn open_stream_is_counted_until_it_is_closed() {
    let server = TestServer::start().await;
    let stream = Stream::open(server.private, "/api/v1/stream", &[])
        .await
        .unwrap();
    let open = r#"readers{kind="stream"}"#;
    assert_eq!(value(&scrape(&server).await, open), "1");
    drop(stream);
    // The server notices with the next event that it sends.
    let mut number = 0;
    while value(&scrape(&server).await, open) != "0" {
        number += 1;
        post(server.public, note(number)).await;
    }
}

#[tokio::test]
async fn scrape_needs_the_private_token_where_one_is_set() {
    let server =
        TestServer::with(|config| config.private.tokens = vec![Token::new("reader")]).await;
    assert_eq!(get(server.private, "/metrics").await.status, 401);
    let headers = [("authorization", "Bearer reader")];
    let answer = request(server.private, Method::GET, "/metrics", &headers, "").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn scrape_shows_no_text_and_no_phone_number() {
    let server = TestServer::start().await;
    let mut odd = said::text("A1", 5, "Good morning");
    odd["typeWebhook"] = json!("Good morning");
    say(&server, [said::text("A2", 5, "Good morning"), odd]).await;
    let text = String::from_utf8(get(server.private, "/metrics").await.body.to_vec()).unwrap();
    for private in ["Good morning", CHAT, "79004445566", "Nina", "A1", "A2"] {
        assert!(!text.contains(private), "{private}: {text}");
    }
}
