//! `GET /api/v1/events`: refused parameters.

use super::{filled, note};
use crate::support::{TestServer, get};

/// The problem detail for a query, which must be refused with 400 `bad-parameter`.
async fn refusal(server: &TestServer, query: &str) -> String {
    let answer = get(server.private, &format!("/api/v1/events?{query}")).await;
    assert_eq!(answer.status, 400, "{query}: {answer:?}");
    assert_eq!(answer.code(), "bad-parameter", "{query}");
    answer.json()["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn invalid_value_is_refused_with_400_and_its_parameter_named() {
    let server = filled((1..=3).map(note)).await;
    for (name, values) in [
        (
            "instance",
            &["", "x", "1.5", "%201", "1e3", "9223372036854775808"][..],
        ),
        ("outcome", &["", "Known", "known%20", "lost"]),
        (
            "since",
            &[
                "",
                "yesterday",
                "2026-01-01",
                "2026-01-01T00:00:00",
                "2026-13-01T00:00:00Z",
                // A plus sign that is not percent-encoded is a space.
                "2026-01-01T00:00:00+03:00",
                "1767225600",
            ],
        ),
        (
            "until",
            &[
                "",
                "tomorrow",
                "2026-01-01",
                "2026-01-01T00:00:00",
                "2026-01-32T00:00:00Z",
                "2026-01-01T00:00:00+03:00",
                "1767225600",
            ],
        ),
        ("order", &["", "ASC", "up", "asc%20"]),
        (
            "limit",
            &[
                "",
                "0",
                "501",
                "-1",
                "x",
                "50.0",
                "4294967297",
                "99999999999999999999",
            ],
        ),
        (
            "cursor",
            &["", "x", "AAAA", "AAAAAAAAAAMAAAAAAAAAAA", "%FF", "=="],
        ),
        ("body", &["", "1", "yes", "TRUE", "null"]),
        ("after", &["", "-1", "x", "1.0", "9223372036854775808"]),
        ("after=0&wait", &["", "-1", "61", "1.5", "1s"]),
    ] {
        let of = name.rsplit('&').next().unwrap();
        for value in values {
            let detail = refusal(&server, &format!("{name}={value}")).await;
            assert!(detail.contains(&format!("`{of}`")), "{value}: {detail}");
        }
    }
}

#[tokio::test]
async fn unknown_parameter_is_refused_with_400_and_named() {
    let server = TestServer::start().await;
    for (query, name) in [
        ("colour=red", "colour"),
        ("limit=5&Limit=5", "Limit"),
        ("limit=5&seq", "seq"),
        ("typemessage=a", "typemessage"),
        ("q=text", "q"),
        ("limit%20=5", "limit "),
        ("=5", ""),
        ("%0A%1B=5", "\\n\\u{1b}"),
    ] {
        let detail = refusal(&server, query).await;
        assert!(detail.contains(&format!("`{name}`")), "{query}: {detail}");
    }
    // The detail is short even if the name is long.
    assert!(refusal(&server, &"x".repeat(2000)).await.len() < 200);
}

#[tokio::test]
async fn parameter_given_twice_is_refused_with_400_and_named() {
    let server = TestServer::start().await;
    for name in [
        "instance",
        "type",
        "typeMessage",
        "chat",
        "outcome",
        "since",
        "until",
        "order",
        "limit",
        "cursor",
        "body",
        "after",
        "wait",
    ] {
        let detail = refusal(&server, &format!("{name}=1&other=2&{name}=1")).await;
        assert!(detail.contains(&format!("`{name}`")), "{detail}");
        assert!(detail.contains("twice"), "{detail}");
    }
}

#[tokio::test]
async fn mix_of_feed_and_list_parameters_is_refused_with_400() {
    let server = filled((1..=3).map(note)).await;
    let first = get(server.private, "/api/v1/events?limit=1&order=asc").await;
    let cursor = first.json()["nextCursor"].as_str().unwrap().to_owned();
    for (query, name) in [
        ("wait=1".to_owned(), "wait"),
        ("wait=0&order=asc".to_owned(), "wait"),
        (format!("wait=1&order=asc&cursor={cursor}"), "wait"),
        (format!("after=0&order=asc&cursor={cursor}"), "cursor"),
        ("after=0&cursor=".to_owned(), "cursor"),
        ("after=0&order=desc".to_owned(), "order=desc"),
        ("after=0&wait=5&order=desc".to_owned(), "order=desc"),
    ] {
        let detail = refusal(&server, &query).await;
        assert!(detail.contains(&format!("`{name}`")), "{query}: {detail}");
    }
    let plain = get(server.private, "/api/v1/events?after=0&order=asc&wait=0").await;
    assert_eq!(plain.status, 200);
}
