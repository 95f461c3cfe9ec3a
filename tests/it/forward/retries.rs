//! A destination that fails: retries, dead letters, the breaker, 410, redirects, and what is shown about it.

use super::{MINUTE, id, ids, metric, say, status, to};
use crate::support::said::CHAT;
use crate::support::{Sink, TestServer, get, next_look, request};
use hyper::Method;

/// The line of the metrics for this number of failed attempts.
fn refused(attempts: u32) -> String {
    format!(
        "green_inbox_forward_attempts_total{{destination=\"crm\",result=\"refused\"}} {attempts}"
    )
}

#[tokio::test]
async fn failed_event_is_sent_again_with_the_same_id_on_the_schedule_across_a_restart() {
    let sink = Sink::start().await;
    // A wrong token on the other side is not for ever.
    sink.answer(401, "");
    let server = TestServer::with(to(&sink, |_| {})).await;
    say(&server, CHAT, "A1").await;
    sink.wait_for_number(1).await;
    status(&server, |status| status["waiting"] == 1).await;
    server.pass(6_000);
    sink.wait_for_number(2).await;
    // An attempt whose answer has not arrived would be made again after the restart.
    metric(&server, &refused(2)).await;
    let folder = server.stop().await;
    sink.answer(200, "");
    let server = TestServer::later(folder, 6_000, to(&sink, |_| {})).await;
    let waiting = status(&server, |status| status["waiting"] == 1).await;
    assert_eq!(waiting["dead"], 0);
    assert_eq!(
        sink.received().len(),
        2,
        "the next attempt is due after 5 minutes"
    );
    server.pass(6 * MINUTE);
    sink.wait_for_number(3).await;
    let all = sink.received();
    assert!(
        all.iter()
            .all(|got| got.header("webhook-id") == all[0].header("webhook-id"))
    );
    assert_ne!(
        all[0].header("webhook-timestamp"),
        all[2].header("webhook-timestamp")
    );
    status(&server, |status| status["waiting"] == 0).await;
    server.stop().await;
}

#[tokio::test]
async fn event_that_fails_in_every_attempt_becomes_a_dead_letter_and_its_chat_goes_on() {
    let sink = Sink::start().await;
    sink.answer(500, "a secret of the destination");
    let server = TestServer::with(to(&sink, |forward| forward.retry_seconds = vec![1, 1])).await;
    say(&server, CHAT, "A1").await;
    say(&server, CHAT, "A2").await;
    for attempts in 1..=2 {
        // Counted before the clock moves on, or the next attempt would be due later.
        metric(&server, &refused(attempts)).await;
        server.pass(2_000);
    }
    // The third attempt was the last one of the first event.
    status(&server, |status| status["dead"] == 1).await;
    assert_eq!(&ids(&sink)[..3], ["A1", "A1", "A1"]);
    sink.answer(200, "");
    sink.wait_for(|got| id(got) == "A2").await;
    let shown = status(&server, |status| status["dead"] == 1).await;
    assert_eq!(shown["problem"], "it answered 500 Internal Server Error");
    // It is counted before it is saved.
    let dead = loop {
        let dead = get(server.private, "/api/v1/forward/crm/dead").await.json();
        if dead["data"] != serde_json::json!([]) {
            break dead;
        }
        next_look().await;
    };
    assert_eq!(dead["data"][0]["seq"], 1, "{dead}");
    assert_eq!(dead["data"][0]["attempts"], 3);
    assert!(!dead.to_string().contains("secret"));
    assert_eq!(dead["nextCursor"], serde_json::Value::Null);
    let metrics = get(server.private, "/metrics").await;
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    for line in [
        "green_inbox_forward_attempts_total{destination=\"crm\",result=\"refused\"} ",
        "green_inbox_forward_backlog_seconds{destination=\"crm\"} ",
        "green_inbox_forward_dead_letters{destination=\"crm\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    server.stop().await;
}

#[tokio::test]
async fn destination_that_is_down_gets_a_probe_every_30_seconds_and_raises_an_alert() {
    let sink = Sink::start().await;
    sink.answer(503, "");
    let server = TestServer::with(to(&sink, |_| {})).await;
    for number in 0..40 {
        say(
            &server,
            &format!("7900000{number:04}@c.us"),
            &format!("A{number}"),
        )
        .await;
    }
    status(&server, |status| status["state"] == "open").await;
    let before = sink.received().len();
    assert!((10..=26).contains(&before), "{before} attempts");
    let is_raised = async || {
        let alerts = get(server.private, "/api/v1/alerts").await.json();
        alerts["data"]
            .as_array()
            .unwrap()
            .iter()
            .any(|alert| alert["name"] == "forward-failing" && alert["subject"] == "crm")
    };
    while !is_raised().await {
        next_look().await;
    }
    server.pass(31_000);
    sink.wait_for_number(before + 1).await;
    sink.answer(200, "");
    // The next probe closes the breaker; those that had failed come on their own schedule. The failure of the first
    // probe may be counted only after the clock has moved, so the clock moves on.
    while get(server.private, "/api/v1/forward").await.json()["data"][0]["state"] != "running" {
        server.pass(1_000);
        next_look().await;
    }
    server.pass(6 * MINUTE);
    status(&server, |status| {
        status["waiting"] == 0 && status["position"] == 40
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn events_that_arrive_while_the_breaker_is_open_are_not_written_again() {
    let (down, up) = (Sink::start().await, Sink::start().await);
    down.answer(503, "");
    let server = TestServer::with(|config| {
        to(&down, |_| {})(config);
        let other = green_inbox::config::Forward::new("up", &up.url("/"));
        config.forward.push(other);
    })
    .await;
    let chat = |number| format!("7900000{number:04}@c.us");
    for number in 0..40 {
        say(&server, &chat(number), &format!("A{number}")).await;
    }
    status(&server, |status| status["state"] == "open").await;
    // The breaker opens after ten failures, so each of these chats is blocked.
    for number in 0..200 {
        say(&server, &chat(number % 10), &format!("B{number}")).await;
    }
    up.wait_for_number(240).await;
    let before = down.number();
    server.pass(31_000);
    down.wait_for_number(before + 1).await;
    let shown = status(&server, |status| status["state"] == "open").await;
    // A probe may read one page of 64 events to find an event that it can send.
    assert!(shown["waiting"].as_u64().unwrap() <= 40 + 64, "{shown}");
    down.answer(200, "");
    while get(server.private, "/api/v1/forward").await.json()["data"][0]["state"] != "running" {
        server.pass(1_000);
    }
    server.pass(6 * MINUTE);
    status(&server, |status| {
        status["waiting"] == 0 && status["position"] == 240
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn answer_410_disables_the_destination_until_it_is_enabled() {
    let sink = Sink::start().await;
    sink.answer(410, "");
    let server = TestServer::with(to(&sink, |_| {})).await;
    say(&server, CHAT, "A1").await;
    status(&server, |status| status["state"] == "disabled").await;
    say(&server, "79001112233@c.us", "B1").await;
    server.pass(60 * MINUTE);
    status(&server, |status| {
        status["backlogSeconds"].as_f64().unwrap() >= 3600.0
    })
    .await;
    assert_eq!(sink.received().len(), 1);
    sink.answer(200, "");
    let path = "/api/v1/forward/crm/enable";
    let done = request(server.private, Method::POST, path, &[], "").await;
    assert_eq!(done.status, 204);
    // The two are of different chats, so either may arrive first.
    sink.wait_for_number(3).await;
    let mut delivered = ids(&sink);
    delivered[1..].sort_unstable();
    assert_eq!(delivered, ["A1", "A1", "B1"]);
    server.stop().await;
}

#[tokio::test]
async fn destination_that_is_down_delays_no_other() {
    let (down, up) = (Sink::start().await, Sink::start().await);
    down.answer(503, "");
    let server = TestServer::with(|config| {
        to(&down, |_| {})(config);
        let other = green_inbox::config::Forward::new("up", &up.url("/"));
        config.forward.push(other);
    })
    .await;
    for number in 0..50 {
        say(
            &server,
            &format!("7900000{number:04}@c.us"),
            &format!("A{number}"),
        )
        .await;
    }
    up.wait_for_number(50).await;
    server.stop().await;
}
