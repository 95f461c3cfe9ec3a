//! Parts of a kept file: what a player of audio or video requests, and a download that goes on.

use hyper::Method;

use super::{CHAT, file, files_in, receive, server, stand_ins};
use crate::support::green_api::INSTANCE;
use crate::support::{Answer, Files, TestServer, request};

/// Bytes of the file. It is sent in several chunks.
const BYTES: usize = 200_000;

async fn part(server: &TestServer, seq: i64, headers: &[(&str, &str)]) -> Answer {
    let path = format!("/api/v1/events/{seq}/file");
    request(server.private, Method::GET, &path, headers, "").await
}

#[tokio::test]
async fn range_gets_that_part_of_the_file() {
    let (green_api, files) = stand_ins().await;
    let server = server(&green_api).await;
    let path = format!("/ok/{BYTES}/song");
    let seq = receive(&server, "3A01", &files.url(&path)).await;
    let whole = file(&server, seq).await;
    assert_eq!(whole.header("accept-ranges"), "bytes");
    let bytes = Files::bytes(&path);
    for (range, first, last) in [
        ("bytes=0-", 0, 199_999),
        ("bytes=0-0", 0, 0),
        ("bytes=70000-140000", 70_000, 140_000),
        ("bytes=199999-", 199_999, 199_999),
        ("bytes=100000-900000", 100_000, 199_999),
        ("bytes=-1000", 199_000, 199_999),
        ("bytes=-900000", 0, 199_999),
        // Of two ranges the file has one.
        ("bytes=5-9, 900000-", 5, 9),
    ] {
        let answer = part(&server, seq, &[("range", range)]).await;
        assert_eq!(answer.status, 206, "{range}");
        let length = (last - first + 1).to_string();
        for (name, value) in [
            ("content-range", &*format!("bytes {first}-{last}/{BYTES}")),
            ("content-length", &*length),
            ("accept-ranges", "bytes"),
            ("etag", whole.header("etag")),
            ("content-type", "image/jpeg"),
            ("content-disposition", whole.header("content-disposition")),
            ("x-content-type-options", "nosniff"),
            (
                "content-security-policy",
                whole.header("content-security-policy"),
            ),
        ] {
            assert_eq!(answer.header(name), value, "{range}: {name}");
        }
        assert!(answer.body == bytes[first..=last], "{range}");
    }
    let by_message = format!("/api/v1/messages/{INSTANCE}/{CHAT}/3A01/file");
    let range = [("range", "bytes=10-19")];
    let answer = request(server.private, Method::GET, &by_message, &range, "").await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body[..]),
        (206, &bytes[10..20])
    );
    server.stop().await;
}

#[tokio::test]
async fn range_beyond_the_end_is_refused_with_the_length() {
    let (green_api, files) = stand_ins().await;
    let server = server(&green_api).await;
    let seq = receive(&server, "3A01", &files.url("/ok/1000/one")).await;
    file(&server, seq).await;
    for range in [
        "bytes=1000-",
        "bytes=1000-2000",
        "bytes=-0",
        "bytes=18446744073709551615-",
    ] {
        let answer = part(&server, seq, &[("range", range)]).await;
        assert_eq!(answer.status, 416, "{range}");
        assert_eq!(answer.header("content-range"), "bytes */1000");
        assert_eq!(answer.code(), "range-not-satisfiable");
    }
    server.stop().await;
}

#[tokio::test]
async fn range_that_does_not_apply_gets_the_whole_file() {
    let (green_api, files) = stand_ins().await;
    let server = server(&green_api).await;
    let path = "/ok/1000/one";
    let seq = receive(&server, "3A01", &files.url(path)).await;
    let tag = file(&server, seq).await.header("etag").to_owned();
    let weak = format!("W/{tag}");
    let range = ("range", "bytes=0-9");
    for headers in [
        &[("range", "bytes=9-0")][..],
        &[("range", "bytes=a-b")],
        &[("range", "bytes=")],
        &[("range", "lines=0-9")],
        &[("range", "bytes=0-1, 5-6")],
        &[range, range],
        // The client has a part of another file.
        &[range, ("if-range", "\"other\"")],
        &[range, ("if-range", &weak)],
        &[range, ("if-range", "Thu, 01 Jan 2026 00:00:00 GMT")],
        &[range, ("if-range", "nothing of the kind")],
    ] {
        let answer = part(&server, seq, headers).await;
        assert_eq!(answer.status, 200, "{headers:?}");
        assert!(answer.body == Files::bytes(path), "{headers:?}");
        assert!(!answer.headers.contains_key("content-range"), "{headers:?}");
    }
    let answer = part(&server, seq, &[range, ("if-range", &tag)]).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body[..]),
        (206, &Files::bytes(path)[..10])
    );
    let answer = part(&server, seq, &[range, ("if-none-match", &tag)]).await;
    assert_eq!(answer.status, 304);
    let path = format!("/api/v1/events/{seq}/file");
    let head = request(server.private, Method::HEAD, &path, &[range], "").await;
    assert_eq!(
        (head.status.as_u16(), head.header("content-length")),
        (200, "1000")
    );
    server.stop().await;
}

#[tokio::test]
async fn part_of_a_file_that_became_shorter_on_disk_is_not_served() {
    let (green_api, files) = stand_ins().await;
    let server = server(&green_api).await;
    let seq = receive(&server, "3A01", &files.url("/ok/1000/one")).await;
    file(&server, seq).await;
    std::fs::write(&files_in(&server.database)[0], [0; 500]).unwrap();
    let answer = part(&server, seq, &[("range", "bytes=0-9")]).await;
    assert_eq!(answer.code(), "damaged");
    server.stop().await;
}
