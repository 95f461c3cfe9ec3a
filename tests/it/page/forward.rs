//! The view of the forward destinations, and the buttons that send again.

use green_inbox::config::{Config, Forward};
use hyper::Method;

use super::html;
use super::routes::message;
use crate::support::{Sink, TestServer, next_look, post, request};

/// Settings with two destinations at the stand-in.
fn two(sink: &Sink) -> impl FnOnce(&mut Config) {
    let all = ["crm", "bot"].map(|name| Forward::new(name, &sink.url("/events")));
    |config| config.forward = all.into()
}

#[tokio::test]
async fn every_destination_has_its_numbers_and_its_buttons() {
    let sink = Sink::start().await;
    let server = TestServer::with(two(&sink)).await;
    post(server.public, message("A1", "Hello")).await;
    let view = html(&server, "/forward", &[]).await;
    for name in ["crm", "bot"] {
        assert!(view.contains(&format!("data-name=\"{name}\"")), "{view}");
    }
    for part in [
        "state",
        "position",
        "backlog",
        "attempts",
        "breaker",
        "delivered",
        "failing",
        "problem-text",
        "dead",
        "send-dead",
        "enable",
        "more",
        "no-dead",
    ] {
        let found = view.matches(&format!("data-part=\"{part}\"")).count();
        assert_eq!(found, 2, "{part}");
    }
    let event = html(&server, "/events/1", &[]).await;
    let chat = html(&server, "/chats/1101000001/79990000001%40c.us", &[]).await;
    for (page, part) in [
        (
            &event,
            "data-resend=\"crm\" data-seq=\"1\">Send again to crm</button>",
        ),
        (
            &event,
            "data-resend=\"bot\" data-seq=\"1\">Send again to bot</button>",
        ),
        (
            &chat,
            "data-resend=\"crm\" data-instance=\"1101000001\" data-chat=\"79990000001@c.us\"",
        ),
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    server.stop().await;
}

#[tokio::test]
async fn without_destinations_the_view_says_how_to_add_one() {
    let server = TestServer::start().await;
    post(server.public, message("A1", "Hello")).await;
    let view = html(&server, "/forward", &[]).await;
    let note = "<p class=\"note\">No destination is configured. [[forward]]";
    assert!(view.contains(note), "{view}");
    for path in ["/events/1", "/chats/1101000001/79990000001%40c.us"] {
        assert!(!html(&server, path, &[]).await.contains("resend"), "{path}");
    }
    for path in ["/", "/health"] {
        assert!(
            html(&server, path, &[]).await.contains("href=\"/forward\""),
            "{path}"
        );
    }
}

#[tokio::test]
async fn page_of_another_site_cannot_send_again() {
    let sink = Sink::start().await;
    let server = TestServer::with(two(&sink)).await;
    post(server.public, message("A1", "Hello")).await;
    sink.wait_for_number(2).await;
    for header in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        for what in ["replay?seq=1", "enable"] {
            let path = format!("/api/v1/forward/crm/{what}");
            let answer = request(server.private, Method::POST, &path, &[header], "").await;
            assert_eq!(answer.status, 403, "{header:?}");
            assert_eq!(answer.code(), "cross-site");
        }
    }
    let own = format!("http://{}", server.private);
    let headers = [("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    let path = "/api/v1/forward/crm/replay?seq=1";
    // The destination may still be saving that it has the event.
    loop {
        let answer = request(server.private, Method::POST, path, &headers, "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        if answer.json()["queued"] == 1 {
            break;
        }
        next_look().await;
    }
    sink.wait_for_number(3).await;
    server.stop().await;
}
