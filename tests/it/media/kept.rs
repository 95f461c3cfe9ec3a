//! A file that is kept, and how it is served.

use std::os::unix::fs::PermissionsExt;

use hyper::Method;
use serde_json::{Value, json};

use super::{CHAT, file, files_in, message, receive, server, stand_ins, stored, until};
use crate::support::green_api::INSTANCE;
use crate::support::{Files, TestServer, get, request};

#[tokio::test]
async fn file_is_kept_and_served_back_byte_for_byte() {
    let (green_api, files) = stand_ins().await;
    let server = server(&green_api).await;
    let path = "/ok/300000/cake";
    let seq = receive(&server, "3A01", &files.url(path)).await;
    let answer = file(&server, seq).await;
    assert_eq!(answer.body, Files::bytes(path));
    for (name, value) in [
        ("content-type", "image/jpeg"),
        ("content-length", "300000"),
        (
            "content-disposition",
            "attachment; filename=\"____.jpg\"; filename*=UTF-8''%D1%82%D0%BE%D1%80%D1%82.jpg",
        ),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, no-cache"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let by_message = format!("/api/v1/messages/{INSTANCE}/{CHAT}/3A01");
    let same = get(server.private, &format!("{by_message}/file")).await;
    assert_eq!(same.body, answer.body);

    let tag = answer.header("etag");
    let conditional = [("if-none-match", tag)];
    let path = format!("/api/v1/events/{seq}/file");
    let unchanged = request(server.private, Method::GET, &path, &conditional, "").await;
    assert_eq!((unchanged.status.as_u16(), unchanged.body.len()), (304, 0));
    let head = request(server.private, Method::HEAD, &path, &[], "").await;
    assert_eq!(
        (head.header("content-length"), head.body.len()),
        ("300000", 0)
    );

    let kept = json!({
        "state": "kept", "bytes": 300_000, "sha256": tag.trim_matches('"'), "attempts": 1, "problem": null, "seq": seq,
    });
    let event = get(server.private, &format!("/api/v1/events/{seq}"))
        .await
        .json();
    assert_eq!(event["file"], kept);
    let shown = get(server.private, &by_message).await.json();
    assert_eq!(shown["file"]["kept"], kept);
    let list = get(server.private, "/api/v1/messages").await.json();
    assert_eq!(list["data"][0]["file"]["kept"], kept);

    let on_disk = files_in(&server.database);
    assert_eq!(on_disk.len(), 1);
    let mode = std::fs::metadata(&on_disk[0]).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(tag.contains(on_disk[0].file_name().unwrap().to_str().unwrap()));
    let is_shown = |answer: &crate::support::Answer| {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        [
            "green_inbox_media_attempts_total{result=\"kept\"} 1",
            "green_inbox_media_waiting 0",
            "green_inbox_media_kept_bytes 300000",
        ]
        .iter()
        .all(|line| text.contains(line))
    };
    until(server.private, "/metrics", is_shown).await;
    server.stop().await;
}

#[tokio::test]
async fn page_of_the_event_links_the_file_or_says_why_there_is_none() {
    let (green_api, files) = stand_ins().await;
    let server = server(&green_api).await;
    let kept = receive(&server, "3A01", &files.url("/ok/1000/one")).await;
    file(&server, kept).await;
    let lost = receive(&server, "3A02", &files.url("/status/404")).await;
    super::problem(&server, lost, "lost", "404").await;
    let page = async |seq: i64| {
        let page = get(server.private, &format!("/events/{seq}")).await;
        String::from_utf8(page.body.to_vec()).unwrap()
    };
    let link = format!("href=\"/api/v1/events/{kept}/file\"");
    assert!(page(kept).await.contains(&link));
    let text = page(lost).await;
    assert!(
        text.contains("The file is lost") && !text.contains("/file\""),
        "{text}"
    );
    server.stop().await;
}

#[tokio::test]
async fn same_message_again_is_not_downloaded_again() {
    let (green_api, files) = stand_ins().await;
    let server = server(&green_api).await;
    let first = receive(&server, "3A01", &files.url("/ok/1000/one")).await;
    file(&server, first).await;
    let mut copy = message("3A01", &files.url("/ok/1000/one"));
    copy["timestamp"] = json!(1_767_225_601);
    let second = stored(&server, &copy).await;
    assert_ne!(first, second);
    assert_eq!(
        file(&server, second).await.body,
        Files::bytes("/ok/1000/one")
    );
    assert_eq!(files.requests().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn same_bytes_are_stored_once() {
    let (green_api, files) = stand_ins().await;
    let server = server(&green_api).await;
    let first = receive(&server, "3A01", &files.url("/ok/1000/one")).await;
    let second = receive(&server, "3A02", &files.url("/ok/1000/one")).await;
    file(&server, first).await;
    file(&server, second).await;
    assert_eq!(files_in(&server.database).len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn message_without_a_kept_file_says_why() {
    let (green_api, files) = stand_ins().await;
    let server = server(&green_api).await;
    let seq = receive(&server, "3A01", &files.url("/later/10/one")).await;
    let path = format!("/api/v1/events/{seq}/file");
    let code = async |path: &str| get(server.private, path).await.code();
    files.wait_for("/later/10/one", 1).await;
    until(server.private, &path, |answer| {
        answer.code() == "file-waiting"
    })
    .await;
    assert_eq!(code("/api/v1/events/99/file").await, "not-found");
    let other = format!("/api/v1/messages/{INSTANCE}/{CHAT}/3A09/file");
    assert_eq!(code(&other).await, "file-not-kept");
    let text = json!({
        "typeWebhook": "incomingMessageReceived", "timestamp": 1_767_225_600, "idMessage": "3A02",
        "instanceData": { "idInstance": INSTANCE }, "senderData": { "chatId": CHAT },
        "messageData": { "typeMessage": "textMessage", "textMessageData": { "textMessage": "hi" } },
    });
    let seq = stored(&server, &text).await;
    assert_eq!(
        code(&format!("/api/v1/events/{seq}/file")).await,
        "file-not-kept"
    );
    server.stop().await;
}

#[tokio::test]
async fn account_without_media_keeps_nothing() {
    let (green_api, files) = stand_ins().await;
    let server = TestServer::with(|config| {
        super::keeping(&green_api)(config);
        config.accounts[0].media = false;
    })
    .await;
    receive(&server, "3A01", &files.url("/ok/10/one")).await;
    let folder = server.stop().await;
    // From now on: the file before that is not fetched later.
    let server = TestServer::at(folder, super::keeping(&green_api)).await;
    let seq = receive(&server, "3A02", &files.url("/ok/10/two")).await;
    file(&server, seq).await;
    assert_eq!(files.requests(), ["/ok/10/two"]);
    let first = get(server.private, "/api/v1/events/1").await.json();
    assert_eq!(first["file"], Value::Null);
    server.stop().await;
}

#[tokio::test]
async fn file_that_is_damaged_on_disk_is_not_served() {
    let (green_api, files) = stand_ins().await;
    let server = server(&green_api).await;
    let seq = receive(&server, "3A01", &files.url("/ok/1000/one")).await;
    file(&server, seq).await;
    let on_disk = &files_in(&server.database)[0];
    std::fs::write(on_disk, b"a part").unwrap();
    let path = format!("/api/v1/events/{seq}/file");
    assert_eq!(get(server.private, &path).await.code(), "damaged");
    server.stop().await;
}
