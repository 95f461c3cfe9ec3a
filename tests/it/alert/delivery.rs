//! Each destination gets an alert once, again after a while, and once when it ends: across restarts, and whatever other
//! destinations do.

use std::net::TcpListener;

use green_inbox::config::{Destination, SecretUrl, Webhook};

use super::{HOUR, MINUTE, at, knock, say, server, webhook, with};
use crate::support::said::{self, NOON};
use crate::support::{Sink, TestServer, get, next_look};

/// Raises another alert. When it has arrived, anything that was due before it has arrived too.
async fn raise_another(server: &TestServer, sink: &Sink, kind: &str) {
    say(
        server,
        &serde_json::json!({ "typeWebhook": kind, "instanceData": { "idInstance": 1 } }),
    )
    .await;
    let is_other =
        |request: &crate::support::sink::Received| request.json()["subject"].as_str() == Some(kind);
    sink.wait_for(is_other).await;
}

#[tokio::test]
async fn alert_fires_once_and_again_after_the_interval_and_ends_once() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    knock(&server).await;
    sink.alerts("token-rejected", "firing", 1).await;
    for _ in 0..3 {
        server.pass(MINUTE);
        knock(&server).await;
    }
    raise_another(&server, &sink, "newKind").await;
    assert_eq!(sink.count("token-rejected", "firing"), 1);

    // Six hours, in steps within which no alert ends by itself.
    for _ in 0..90 {
        server.pass(4 * MINUTE);
        knock(&server).await;
    }
    sink.alerts("token-rejected", "firing", 2).await;
    let again = sink.received().pop().unwrap().json();
    assert_eq!(again["hoursLeft"], 17.9, "{again}");
    assert_eq!(again["since"], "2026-01-01T00:00:00.000Z");

    // The token of another instance is right. That does not end it while this one is refused.
    say(&server, &said::text("A1", NOON, "Good morning")).await;
    server.pass(MINUTE);
    knock(&server).await;
    say(&server, &said::text("A2", NOON, "Good morning")).await;
    server.pass(4 * MINUTE);
    raise_another(&server, &sink, "newKind2").await;
    assert_eq!(sink.count("token-rejected", "resolved"), 0);
    server.pass(2 * MINUTE);
    sink.alerts("token-rejected", "resolved", 1).await;
    raise_another(&server, &sink, "newKind3").await;
    assert_eq!(sink.count("token-rejected", "resolved"), 1);
    assert_eq!(sink.count("token-rejected", "firing"), 2);
    server.stop().await;
}

#[tokio::test]
async fn restart_neither_repeats_nor_forgets_an_alert() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    knock(&server).await;
    sink.alerts("token-rejected", "firing", 1).await;
    let server = at(server.stop().await, &sink, |_| {}).await;
    raise_another(&server, &sink, "newKind").await;
    assert_eq!(sink.count("token-rejected", "firing"), 1);
    assert_eq!(sink.count("token-rejected", "resolved"), 0);
    server.pass(6 * MINUTE);
    sink.alerts("token-rejected", "resolved", 1).await;
    let server = at(server.stop().await, &sink, |_| {}).await;
    raise_another(&server, &sink, "newKind2").await;
    assert_eq!(sink.count("token-rejected", "resolved"), 1);
    assert_eq!(sink.count("unknown-type", "firing"), 2, "one of each kind");
    server.stop().await;
}

#[tokio::test]
async fn destination_that_is_down_delays_nobody_and_is_told_later() {
    let sink = Sink::start().await;
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = reserved.local_addr().unwrap();
    // It listens but never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = |address: std::net::SocketAddr| {
        Destination::Webhook(Webhook {
            url: SecretUrl::new(&format!("http://{address}/alerts")),
            secret_file: None,
        })
    };
    drop(reserved);
    let silent_address = silent.local_addr().unwrap();
    let server = with(&sink, |config| {
        config.alerts.to = vec![to(address), to(silent_address), webhook(&sink)];
    })
    .await;
    knock(&server).await;
    sink.alerts("token-rejected", "firing", 1).await;
    // It fails for so long that the others hear of it.
    for _ in 0..20 {
        server.pass(MINUTE);
    }
    let failing = sink.alert("destination-failing", "firing").await;
    assert_eq!(failing["subject"], "webhook 1");
    let revived = Sink::at(address).await;
    server.pass(10 * MINUTE);
    revived.alerts("token-rejected", "firing", 1).await;
    sink.alert("destination-failing", "resolved").await;
    server.stop().await;
    drop(silent);
}

#[tokio::test]
async fn alert_that_ended_while_the_destination_was_down_is_told_as_ended() {
    let sink = Sink::start().await;
    sink.answer(503, "");
    let server = server(&sink).await;
    knock(&server).await;
    sink.alerts("token-rejected", "firing", 1).await;
    say(&server, &said::text("A1", NOON, "Good morning")).await;
    server.pass(6 * MINUTE);
    let is_resolved = async || {
        let listed = get(server.private, "/api/v1/alerts").await.json();
        listed["data"][0]["state"] == "resolved"
    };
    while !is_resolved().await {
        next_look().await;
    }
    sink.answer(200, "");
    server.pass(6 * MINUTE);
    sink.alert("token-rejected", "resolved").await;
    let last = sink.received().pop().unwrap().json();
    assert_eq!(
        last["since"], "2026-01-01T00:00:00.000Z",
        "when it began is told too"
    );
    server.stop().await;
}

#[tokio::test]
async fn new_destination_hears_what_fires_and_not_what_has_ended() {
    let first = Sink::start().await;
    let server = server(&first).await;
    knock(&server).await;
    first.alerts("token-rejected", "firing", 1).await;
    say(&server, &said::text("A1", NOON, "Good morning")).await;
    server.pass(6 * MINUTE);
    first.alerts("token-rejected", "resolved", 1).await;
    raise_another(&server, &first, "newKind").await;
    let second = Sink::start().await;
    let server = TestServer::later(server.stop().await, HOUR, |config| {
        config.alerts.to = vec![webhook(&second)];
    })
    .await;
    second.alerts("unknown-type", "firing", 1).await;
    raise_another(&server, &second, "newKind2").await;
    assert_eq!(second.count("token-rejected", "resolved"), 0);
    server.stop().await;
}

#[tokio::test]
async fn shutdown_does_not_wait_for_a_destination() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/alerts", silent.local_addr().unwrap());
    let sink = Sink::start().await;
    let server = with(&sink, |config| {
        let to = Destination::Webhook(Webhook {
            url: SecretUrl::new(&url),
            secret_file: None,
        });
        config.alerts.to.push(to);
    })
    .await;
    knock(&server).await;
    sink.alerts("token-rejected", "firing", 1).await;
    // The other destination has a request in flight, which has 15 s for its answer.
    let accepted = tokio::task::spawn_blocking(move || silent.accept().map(drop));
    accepted.await.unwrap().unwrap();
    let start = std::time::Instant::now();
    server.stop().await;
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}
