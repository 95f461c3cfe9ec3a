//! `GET /api/v1/events/{seq}/body`: the `ETag` header and `If-None-Match`.

use data_encoding::HEXLOWER;
use hyper::Method;
use sha2::{Digest, Sha256};

use super::{filled, note};
use crate::support::{Answer, TestServer, get, post, request};

const BODY: &str = "/api/v1/events/1/body";

async fn ask(server: &TestServer, method: Method, tags: &[&str]) -> Answer {
    let headers: Vec<_> = tags.iter().map(|tags| ("if-none-match", *tags)).collect();
    request(server.private, method, BODY, &headers, "").await
}

#[tokio::test]
async fn etag_is_the_digest_of_the_body_and_never_changes() {
    let server = filled([note(1), note(2)]).await;
    let first = get(server.private, BODY).await;
    let digest = HEXLOWER.encode(&Sha256::digest(note(1)));
    assert_eq!(first.header("etag"), format!("\"{digest}\""));
    let control = first.header("cache-control");
    for word in ["private", "no-cache"] {
        assert!(control.contains(word), "{control}");
    }
    let second = get(server.private, "/api/v1/events/2/body").await;
    assert_ne!(second.header("etag"), first.header("etag"));
    // A duplicate changes the event but not its body.
    assert_eq!(post(server.public, note(1)).await.json()["repeated"], true);
    assert_eq!(
        get(server.private, BODY).await.header("etag"),
        first.header("etag")
    );
    let event = get(server.private, "/api/v1/events/1").await;
    assert!(!event.headers.contains_key("etag"), "{event:?}");
}

#[tokio::test]
async fn matching_etag_is_a_304_and_any_other_a_200() {
    let server = filled([note(1)]).await;
    let whole = get(server.private, BODY).await;
    let tag = whole.header("etag");
    let in_a_list = format!("\"a,b\", W/\"x\" ,{tag}");
    let weak = format!("W/{tag}");
    for tags in [&[tag][..], &[&weak], &[&in_a_list], &["\"x\"", tag], &["*"]] {
        for method in [Method::GET, Method::HEAD] {
            let answer = ask(&server, method, tags).await;
            assert_eq!(answer.status, 304, "{tags:?}");
            assert_eq!(answer.header("etag"), tag);
            assert_eq!(
                answer.header("cache-control"),
                whole.header("cache-control")
            );
            assert!(answer.body.is_empty());
            assert!(!answer.headers.contains_key("content-type"));
        }
    }
    let upper = tag.to_uppercase();
    let bare = tag.trim_matches('"');
    for tags in [
        &["\"x\""][..],
        &["W/\"x\", \"y\""],
        &[&upper],
        &[bare],
        &[""],
    ] {
        let answer = ask(&server, Method::GET, tags).await;
        assert_eq!(answer.status, 200, "{tags:?}");
        assert_eq!(answer.body, whole.body);
        let head = ask(&server, Method::HEAD, tags).await;
        assert_eq!(head.status, 200, "{tags:?}");
        assert_eq!(head.header("etag"), tag);
        assert_eq!(head.header("content-length"), whole.body.len().to_string());
    }
}

#[tokio::test]
async fn matching_etag_is_answered_without_reading_the_body() {
    let server = filled([note(1)]).await;
    let tag = get(server.private, BODY).await.header("etag").to_owned();
    // Without the column, every read of the body fails.
    let database = rusqlite::Connection::open(&server.database).unwrap();
    database
        .execute("ALTER TABLE event RENAME COLUMN body TO elsewhere", ())
        .unwrap();
    assert_eq!(get(server.private, BODY).await.status, 500);
    assert_eq!(ask(&server, Method::GET, &[&tag]).await.status, 304);
}

#[tokio::test]
async fn missing_event_is_a_404_without_an_etag() {
    let server = filled([note(1)]).await;
    for method in [Method::GET, Method::HEAD] {
        let path = "/api/v1/events/2/body";
        let any = [("if-none-match", "*")];
        let answer = request(server.private, method, path, &any, "").await;
        assert_eq!(answer.status, 404);
        assert!(!answer.headers.contains_key("etag"), "{answer:?}");
        assert!(!answer.headers.contains_key("cache-control"), "{answer:?}");
    }
}
