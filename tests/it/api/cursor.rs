//! `GET /api/v1/events`: paging with cursors.

use sha2::{Digest, Sha256};

use super::{address, filled, list, next, note, seqs};
use crate::support::{Answer, TestServer, get, post};

/// The `nextCursor` of a page; asserts that the `Link` header carries the same cursor.
fn cursor(answer: &Answer) -> Option<String> {
    let cursor = answer.json()["nextCursor"].as_str().map(str::to_owned);
    let link = next(answer);
    assert_eq!(link.is_some(), cursor.is_some(), "{answer:?}");
    if let (Some(link), Some(cursor)) = (link, &cursor) {
        let (path, query) = link.split_once('?').unwrap();
        assert_eq!(path, "/api/v1/events");
        let cursors: Vec<_> = form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| name == "cursor")
            .collect();
        assert_eq!(cursors.len(), 1, "{query}");
        assert_eq!(cursors[0].1, *cursor);
    }
    cursor
}

/// Follows the `Link` headers to the last page; posts three more bodies after each page.
async fn walk(server: &TestServer, first: &str, mut arriving: usize) -> Vec<i64> {
    let (mut seen, mut path) = (Vec::new(), first.to_owned());
    loop {
        let answer = list(server.private, &path).await;
        seen.extend(seqs(&answer));
        assert!(seen.len() < 100, "the list does not end: {seen:?}");
        for _ in 0..3 {
            arriving += 1;
            assert_eq!(post(server.public, note(arriving)).await.status, 200);
        }
        match next(&answer) {
            Some(next) => path = next,
            None => return seen,
        }
    }
}

#[tokio::test]
async fn ascending_pages_include_events_that_arrive_meanwhile() {
    let server = filled((1..=25).map(note)).await;
    let seen = walk(&server, "/api/v1/events?order=asc&limit=7", 25).await;
    // Three events arrive after each page of seven: the sixth page ends the list at seq 40, with
    // fifteen events that arrived meanwhile.
    assert_eq!(seen, (1..=40).collect::<Vec<_>>());
}

#[tokio::test]
async fn descending_pages_exclude_events_that_arrive_meanwhile() {
    let server = filled((1..=25).map(note)).await;
    let seen = walk(&server, "/api/v1/events?limit=4", 25).await;
    assert_eq!(seen, (1..=25).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn last_page_has_no_cursor() {
    let server = filled((1..=12).map(note)).await;
    for order in ["asc", "desc"] {
        let (mut pages, mut next_cursor) = (Vec::new(), None);
        while pages.len() < 4 {
            let mut parameters = vec![("limit", "4"), ("order", order)];
            parameters.extend(next_cursor.as_deref().map(|value| ("cursor", value)));
            let answer = list(server.private, &address("/api/v1/events", &parameters)).await;
            pages.push(seqs(&answer).len());
            next_cursor = cursor(&answer);
            if next_cursor.is_none() {
                break;
            }
        }
        assert_eq!(pages, [4, 4, 4], "{order}");
    }
}

#[tokio::test]
async fn link_header_keeps_the_filters() {
    let chat = "+7 900&%@c.us";
    let body = |number: usize| {
        let chat = if number.is_multiple_of(2) { chat } else { "x" };
        serde_json::json!({ "typeWebhook": "note", "chatId": chat, "number": number }).to_string()
    };
    let server = filled((1..=20).map(body)).await;
    let mut path = address(
        "/api/v1/events",
        &[
            ("chat", chat),
            ("limit", "3"),
            ("body", "true"),
            ("type", "note"),
        ],
    );
    let mut seen = Vec::new();
    loop {
        let answer = list(server.private, &path).await;
        seen.extend(seqs(&answer));
        assert!(seen.len() <= 10, "the list does not end: {seen:?}");
        assert_eq!(answer.json()["data"][0]["body"]["chatId"], chat);
        match next(&answer) {
            Some(next) => path = next,
            None => break,
        }
    }
    assert_eq!(seen, (1..=10).map(|n| 2 * n).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn cursor_of_another_list_is_refused_with_400() {
    let server = filled((1..=5).map(note)).await;
    let first = list(server.private, "/api/v1/events?limit=2&type=note").await;
    let cursor = cursor(&first).unwrap();

    // `limit` and `body` may change; the filters and the order may not.
    for other in ["limit=1&type=note", "type=note&order=desc&body=true"] {
        let path = format!("/api/v1/events?{other}&cursor={cursor}");
        assert_eq!(seqs(&list(server.private, &path).await)[0], 3, "{other}");
    }
    for other in [
        "limit=2",
        "limit=2&type=other",
        "limit=2&type=note&order=asc",
        "limit=2&type=note&outcome=unknown",
        "limit=2&type=note&instance=1",
        "limit=2&type=note&chat=a",
        "limit=2&type=note&typeMessage=a",
        "limit=2&type=note&since=2020-01-01T00:00:00Z",
        "limit=2&type=note&until=2030-01-01T00:00:00Z",
    ] {
        let answer = get(
            server.private,
            &format!("/api/v1/events?{other}&cursor={cursor}"),
        )
        .await;
        assert_eq!(answer.status, 400, "{other}");
        assert_eq!(answer.code(), "bad-parameter");
        assert!(
            answer.json()["detail"]
                .as_str()
                .unwrap()
                .contains("`cursor`")
        );
    }
}

#[tokio::test]
async fn page_is_bounded_in_bytes_and_no_event_is_lost() {
    const KIB: usize = 1024;
    let server = filled((1..=5).map(|number| format!("line {number}"))).await;
    // The bodies are enlarged in the database: a test build takes long to receive this much.
    let database = rusqlite::Connection::open(&server.database).unwrap();
    // A page holds 4 MiB, and a body that is not JSON counts as four times its bytes.
    for (seq, length) in [
        (1, 400 * KIB),
        (2, 400 * KIB),
        (3, 400 * KIB),
        (4, 3000 * KIB),
    ] {
        let grown = "UPDATE event SET body = ?1, size = NULL, digest = ?2 WHERE seq = ?3";
        let body = vec![b'a'; length];
        let digest: [u8; 32] = Sha256::digest(&body).into();
        assert_eq!(database.execute(grown, (body, digest, seq)).unwrap(), 1);
    }
    let first = list(server.private, "/api/v1/events?body=true&order=asc").await;
    assert_eq!(seqs(&first), [1, 2]);
    let second = list(server.private, &next(&first).unwrap()).await;
    assert_eq!(seqs(&second), [3]);
    assert!(cursor(&second).is_some());
    // An event that exceeds the bound by itself gets a page of its own.
    let third = list(server.private, "/api/v1/events?body=true&after=3").await;
    assert_eq!(seqs(&third), [4]);
    assert_eq!(
        seqs(&list(server.private, &next(&third).unwrap()).await),
        [5]
    );
    // Without the bodies, all events fit into one page.
    let all = list(server.private, "/api/v1/events").await;
    assert_eq!(seqs(&all), [5, 4, 3, 2, 1]);
    assert_eq!(cursor(&all), None);
}
