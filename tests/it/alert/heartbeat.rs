//! Heartbeats: to each destination, and to a URL.

use green_inbox::config::SecretUrl;

use super::{HOUR, MINUTE, at, knock, say, with};
use crate::support::Sink;
use crate::support::said::{self, NOON};

#[tokio::test]
async fn destination_gets_a_heartbeat_at_first_and_then_each_interval() {
    let sink = Sink::start().await;
    let server = with(&sink, |config| config.alerts.heartbeat_hours = 24).await;
    let beat = sink.alert("heartbeat", "resolved").await;
    assert_eq!(beat["severity"], "info");
    assert!(
        beat["summary"].as_str().unwrap().contains("all is well"),
        "{beat}"
    );
    let server = at(server.stop().await, &sink, |config| {
        config.alerts.heartbeat_hours = 24;
    })
    .await;
    knock(&server).await;
    sink.alert("token-rejected", "firing").await;
    assert_eq!(
        sink.count("heartbeat", "resolved"),
        1,
        "a restart is no reason"
    );
    server.pass(24 * HOUR);
    sink.alerts("heartbeat", "resolved", 2).await;
    let beat = sink
        .received()
        .into_iter()
        .rfind(|one| one.alert().0 == "heartbeat");
    let summary = beat.unwrap().json()["summary"].as_str().unwrap().to_owned();
    assert!(summary.contains("token-rejected"), "{summary}");
    server.stop().await;
}

#[tokio::test]
async fn url_is_called_each_minute_while_nothing_critical_fires() {
    let sink = Sink::start().await;
    let monitor = Sink::start().await;
    let server = with(&sink, |config| {
        config.alerts.heartbeat_url = SecretUrl::new(&monitor.url("/ping/1"));
    })
    .await;
    let request = monitor.wait_for(|_| true).await;
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("GET", "/ping/1")
    );
    server.pass(MINUTE);
    monitor.wait_for_number(2).await;
    knock(&server).await;
    sink.alert("token-rejected", "firing").await;
    server.pass(MINUTE);
    // It ends after this: had the URL been called meanwhile, that call would have come before.
    say(&server, &said::text("A1", NOON, "Good morning")).await;
    server.pass(6 * MINUTE);
    sink.alert("token-rejected", "resolved").await;
    server.pass(MINUTE);
    monitor.wait_for_number(3).await;
    server.stop().await;
}
