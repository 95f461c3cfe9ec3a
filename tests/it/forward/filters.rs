//! Which events a destination gets, and where it begins.

use green_inbox::config::{ForwardedDirection, ForwardedOutcome, Start};

use super::{id, ids, say, status, to};
use crate::support::said::{self, CHAT, INSTANCE, NOON};
use crate::support::{Sink, TestServer, post};

#[tokio::test]
async fn only_events_that_match_every_filter_are_sent() {
    let sink = Sink::start().await;
    let server = TestServer::with(to(&sink, |forward| {
        forward.types = vec!["incomingMessageReceived".to_owned()];
        forward.instances = vec![INSTANCE];
        // Another form of the same chat.
        forward.chats = vec!["79004445566:3@s.whatsapp.net".to_owned()];
        forward.outcomes = vec![ForwardedOutcome::Known];
        forward.direction = vec![ForwardedDirection::Incoming];
    }))
    .await;
    post(server.public, said::state(NOON, "authorized").to_string()).await;
    post(
        server.public,
        said::of(7, said::text("B1", NOON, "x")).to_string(),
    )
    .await;
    say(&server, "79000000000@c.us", "C1").await;
    post(server.public, "not JSON").await;
    say(&server, CHAT, "A1").await;
    sink.wait_for(|got| id(got) == "A1").await;
    assert_eq!(ids(&sink), ["A1"]);
    server.stop().await;
}

#[tokio::test]
async fn event_that_says_the_same_again_is_sent_only_if_distinct_is_false() {
    for distinct in [true, false] {
        let sink = Sink::start().await;
        let server = TestServer::with(to(&sink, |forward| forward.distinct = distinct)).await;
        say(&server, CHAT, "A1").await;
        // The same message under slightly different bytes.
        let again = format!(" {}", said::text("A1", NOON, "Good morning"));
        post(server.public, again).await;
        say(&server, CHAT, "A2").await;
        sink.wait_for(|got| id(got) == "A2").await;
        let expected: &[&str] = if distinct {
            &["A1", "A2"]
        } else {
            &["A1", "A1", "A2"]
        };
        assert_eq!(ids(&sink), expected);
        server.stop().await;
    }
}

#[tokio::test]
async fn new_destination_begins_now_or_at_its_seq_and_goes_on_after_a_restart() {
    let server = TestServer::start().await;
    for number in ["A1", "A2", "A3"] {
        say(&server, CHAT, number).await;
    }
    let folder = server.stop().await;
    let (now, second) = (Sink::start().await, Sink::start().await);
    let configure = |config: &mut green_inbox::config::Config| {
        to(&second, |forward| forward.start = Start::At(2))(config);
        let mut other = green_inbox::config::Forward::new("now", &now.url("/"));
        other.start = Start::Now;
        config.forward.push(other);
    };
    let server = TestServer::at(folder, configure).await;
    // Saved, so that a restart repeats none.
    status(&server, |status| status["position"] == 3).await;
    let folder = server.stop().await;
    // Stored while the destinations are not there.
    let server = TestServer::at(folder, |_| {}).await;
    say(&server, CHAT, "A4").await;
    let server = TestServer::at(server.stop().await, configure).await;
    now.wait_for_number(1).await;
    second.wait_for_number(3).await;
    assert_eq!(ids(&now), ["A4"]);
    assert_eq!(ids(&second), ["A2", "A3", "A4"]);
    server.stop().await;
}
