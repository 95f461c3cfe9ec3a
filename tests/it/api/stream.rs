//! `GET /api/v1/stream`: server-sent events.

use hyper::StatusCode;
use serde_json::json;

use super::{filled, note};
use crate::support::client::try_request;
use crate::support::{Stream, TestServer, get, post};

async fn ids(stream: &mut Stream, count: usize) -> Vec<i64> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(stream.next().await.unwrap().id);
    }
    ids
}

#[tokio::test]
async fn streamed_event_has_its_seq_type_and_body() {
    let server = filled([note(1)]).await;
    let mut stream = Stream::open(server.private, "/api/v1/stream?after=0", &[])
        .await
        .unwrap();
    let sent = stream.next().await.unwrap();
    assert_eq!((sent.id, sent.event.as_deref()), (1, Some("note")));
    assert_eq!(
        sent.data,
        get(server.private, "/api/v1/events/1").await.json()
    );
    assert_eq!(sent.data["body"]["number"], 1);
}

#[tokio::test]
async fn stream_continues_after_the_last_event_seen() {
    let server = filled((1..=4).map(note)).await;
    for (query, header, expected) in [
        ("?after=2", None, &[3, 4][..]),
        ("", Some("1"), &[2, 3, 4]),
        // A client that reconnects sends both, and the header is newer.
        ("?after=0", Some("3"), &[4]),
    ] {
        let headers: Vec<_> = header.map(|id| ("last-event-id", id)).into_iter().collect();
        let path = format!("/api/v1/stream{query}");
        let mut stream = Stream::open(server.private, &path, &headers).await.unwrap();
        assert_eq!(
            ids(&mut stream, expected.len()).await,
            expected,
            "{query} {header:?}"
        );
    }
}

#[tokio::test]
async fn stream_without_a_start_begins_with_the_next_event() {
    let server = filled((1..=4).map(note)).await;
    let mut stream = Stream::open(server.private, "/api/v1/stream", &[])
        .await
        .unwrap();
    post(server.public, note(5)).await;
    // A duplicate is not a new event.
    post(server.public, note(5)).await;
    post(server.public, note(6)).await;
    assert_eq!(ids(&mut stream, 2).await, [5, 6]);
}

#[tokio::test]
async fn watching_reader_that_is_far_behind_skips_to_the_newest_events() {
    let server = filled((1..=600).map(note)).await;
    let path = "/api/v1/stream?after=0&watch=true";
    let mut stream = Stream::open(server.private, path, &[]).await.unwrap();
    assert_eq!(ids(&mut stream, 25).await, (1..=25).collect::<Vec<_>>());
    let skipped = stream.next().await.unwrap();
    assert_eq!(
        (skipped.id, skipped.event.as_deref()),
        (575, Some("skipped"))
    );
    assert_eq!(
        skipped.data,
        json!({"skippedAfter": 25, "skippedThrough": 575})
    );
    assert_eq!(ids(&mut stream, 25).await, (576..=600).collect::<Vec<_>>());
}

#[tokio::test]
async fn watching_reader_gets_every_event_while_it_is_near_or_its_filter_matches_few() {
    let server = filled((1..=600).map(note)).await;
    post(server.public, json!({"typeWebhook": "rare"}).to_string()).await;
    for (query, expected) in [("after=540", 541..=601), ("after=0&type=rare", 601..=601)] {
        let path = format!("/api/v1/stream?{query}&watch=true");
        let mut stream = Stream::open(server.private, &path, &[]).await.unwrap();
        let expected: Vec<_> = expected.collect();
        assert_eq!(ids(&mut stream, expected.len()).await, expected);
    }
}

#[tokio::test]
async fn stream_takes_the_filters_of_the_list() {
    let server = TestServer::start().await;
    let path = "/api/v1/stream?after=0&type=wanted&outcome=unknown";
    let mut stream = Stream::open(server.private, path, &[]).await.unwrap();
    for (name, number) in [("other", 1), ("wanted", 2), ("other", 3), ("wanted", 4)] {
        post(
            server.public,
            json!({"typeWebhook": name, "number": number}).to_string(),
        )
        .await;
    }
    assert_eq!(ids(&mut stream, 2).await, [2, 4]);
}

#[tokio::test]
async fn line_breaks_in_a_body_do_not_break_the_event() {
    let server = TestServer::start().await;
    let pretty = "{\r\n  \"typeWebhook\": \"spaced\",\n\r\n  \"text\": \"one\\ntwo\"\r}";
    for body in [pretty, "no\r\njson\r", r#"{"typeWebhook": "a\r\nb"}"#] {
        post(server.public, body).await;
    }
    let mut stream = Stream::open(server.private, "/api/v1/stream?after=0", &[])
        .await
        .unwrap();
    let sent = stream.next().await.unwrap();
    assert_eq!(
        sent.data["body"],
        json!({"typeWebhook": "spaced", "text": "one\ntwo"})
    );
    let sent = stream.next().await.unwrap();
    assert_eq!(
        (sent.event, &sent.data["body"]),
        (None, &json!("no\r\njson\r"))
    );
    let sent = stream.next().await.unwrap();
    assert_eq!(
        (sent.event, &sent.data["typeWebhook"]),
        (None, &json!("a\r\nb"))
    );
}

#[tokio::test]
async fn invalid_parameter_or_header_is_refused_with_400() {
    let server = TestServer::start().await;
    for (query, header, named) in [
        ("?after=-1", None, "after"),
        ("?after=x", None, "after"),
        ("?limit=5", None, "limit"),
        ("?order=asc", None, "order"),
        ("?outcome=good", None, "outcome"),
        ("", Some("x"), "Last-Event-ID"),
        ("?after=1", Some("-1"), "Last-Event-ID"),
    ] {
        let headers: Vec<_> = header.map(|id| ("last-event-id", id)).into_iter().collect();
        let path = format!("/api/v1/stream{query}");
        let answer = try_request(server.private, hyper::Method::GET, &path, &headers, "")
            .await
            .unwrap();
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.code(), "bad-parameter");
        assert!(
            answer.json()["detail"].as_str().unwrap().contains(named),
            "{query}"
        );
    }
}

#[tokio::test]
async fn stream_ends_when_the_server_stops() {
    let server = filled([note(1)]).await;
    let mut stream = Stream::open(server.private, "/api/v1/stream?after=0", &[])
        .await
        .unwrap();
    assert_eq!(ids(&mut stream, 1).await, [1]);
    let (_, end) = tokio::join!(server.stop(), stream.next());
    assert!(end.is_none(), "{end:?}");
}
