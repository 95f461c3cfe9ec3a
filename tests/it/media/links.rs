//! Links that do not work, and what is tried instead.

use serde_json::json;

use super::{CHAT, file, keeping, message, problem, receive, server, stand_ins, stored};
use crate::support::green_api::INSTANCE;
use crate::support::{Files, Sink, TestServer, get};
use green_inbox::config::{Destination, SecretUrl, Webhook};

const DAY: i64 = 24 * 60 * 60 * 1000;

#[tokio::test]
async fn dead_or_empty_link_is_replaced_by_download_file() {
    let (green_api, files) = stand_ins().await;
    let server = server(&green_api).await;
    for (number, link) in ["/status/404", "/status/403", ""].into_iter().enumerate() {
        let id = format!("3A0{number}");
        let path = format!("/ok/500/{number}");
        green_api.offer(&id, &files.url(&path));
        let link = if link.is_empty() {
            String::new()
        } else {
            files.url(link)
        };
        let seq = receive(&server, &id, &link).await;
        assert_eq!(file(&server, seq).await.body, Files::bytes(&path), "{link}");
    }
    let calls = green_api.calls_of("downloadFile");
    assert_eq!(
        calls[0].body,
        json!({ "chatId": CHAT, "idMessage": "3A00" })
    );
    assert_eq!(calls.len(), 3);
    server.stop().await;
}

#[tokio::test]
async fn file_of_a_quoted_message_is_kept_under_the_quoted_message() {
    let (green_api, files) = stand_ins().await;
    let server = server(&green_api).await;
    green_api.offer("3AQUOTED", &files.url("/ok/700/quoted"));
    let reply = json!({
        "typeWebhook": "incomingMessageReceived", "timestamp": 1_767_225_600, "idMessage": "3A01",
        "instanceData": { "idInstance": INSTANCE }, "senderData": { "chatId": CHAT },
        "messageData": {
            "typeMessage": "quotedMessage", "extendedTextMessageData": { "text": "which one?", "stanzaId": "3AQUOTED" },
            "quotedMessage": { "stanzaId": "3AQUOTED", "participant": CHAT, "typeMessage": "imageMessage",
                "downloadUrl": "", "caption": "" },
        },
    });
    let seq = stored(&server, &reply).await;
    let kept = file(&server, seq).await;
    assert_eq!(kept.body, Files::bytes("/ok/700/quoted"));
    let path = format!("/api/v1/messages/{INSTANCE}/{CHAT}/3AQUOTED/file");
    assert_eq!(get(server.private, &path).await.body, kept.body);
    server.stop().await;
}

#[tokio::test]
async fn file_that_green_api_has_no_more_is_lost_and_reported() {
    let (green_api, files) = stand_ins().await;
    let sink = Sink::start().await;
    let server = TestServer::with(|config| {
        keeping(&green_api)(config);
        config.alerts.heartbeat_hours = 0;
        config.alerts.to = vec![Destination::Webhook(Webhook {
            url: SecretUrl::new(&sink.url("/alerts")),
            secret_file: None,
        })];
    })
    .await;
    let seq = receive(&server, "3A01", &files.url("/status/404")).await;
    let record = problem(
        &server,
        seq,
        "lost",
        "the server answered 404; downloadFile has no file",
    )
    .await;
    assert_eq!(record["attempts"], 1);
    let answer = get(server.private, &format!("/api/v1/events/{seq}/file")).await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.code()),
        (404, "file-lost")
    );
    let alert = sink.alert("file-lost", "firing").await;
    assert!(
        alert["summary"].as_str().unwrap().contains("404"),
        "{alert}"
    );
    server.stop().await;
}

#[tokio::test]
async fn file_over_the_limit_is_lost_whether_or_not_its_length_is_announced() {
    let (green_api, files) = stand_ins().await;
    let server = TestServer::with(|config| {
        keeping(&green_api)(config);
        config.media.max_file_bytes = 20_000;
    })
    .await;
    let announced = receive(&server, "3A01", &files.url("/ok/20001/one")).await;
    let chunked = receive(&server, "3A02", &files.url("/chunked/20001/two")).await;
    let fits = receive(&server, "3A03", &files.url("/chunked/20000/three")).await;
    let marked = receive(&server, "3A04", "{{SWE002}}").await;
    for seq in [announced, chunked] {
        problem(&server, seq, "lost", "larger than media.max_file_bytes").await;
    }
    problem(&server, marked, "lost", "over 100 MB").await;
    assert_eq!(
        file(&server, fits).await.body,
        Files::bytes("/chunked/20000/three")
    );
    assert_eq!(super::files_in(&server.database).len(), 1);
    assert!(green_api.calls_of("downloadFile").is_empty());
    server.stop().await;
}

#[tokio::test]
async fn failing_server_is_tried_again_and_lost_after_the_last_attempt() {
    let (green_api, files) = stand_ins().await;
    let server = TestServer::with(|config| {
        keeping(&green_api)(config);
        config.media.retry_seconds = vec![60, 60];
    })
    .await;
    let later = receive(&server, "3A01", &files.url("/later/800/one")).await;
    let never = receive(&server, "3A02", &files.url("/status/500")).await;
    for attempts in 1..=2 {
        for seq in [later, never] {
            let failed = problem(&server, seq, "waiting", "the server answered 50").await;
            assert_eq!(failed["attempts"], attempts);
        }
        if attempts == 2 {
            files.open();
        }
        server.pass(70_000);
        files.wait_for("/status/500", attempts + 1).await;
        if attempts == 1 {
            let path = format!("/api/v1/events/{never}");
            let is_second =
                |answer: &crate::support::Answer| answer.json()["file"]["attempts"] == 2;
            super::until(server.private, &path, is_second).await;
            let path = format!("/api/v1/events/{later}");
            super::until(server.private, &path, is_second).await;
        }
    }
    assert_eq!(
        file(&server, later).await.body,
        Files::bytes("/later/800/one")
    );
    let lost = problem(&server, never, "lost", "the server answered 500").await;
    assert_eq!(lost["attempts"], 3);
    server.stop().await;
}

#[tokio::test]
async fn download_that_ends_early_or_stalls_is_not_served() {
    let (green_api, files) = stand_ins().await;
    let server = TestServer::with(|config| {
        keeping(&green_api)(config);
        config.media.timeout_seconds = 1;
    })
    .await;
    let cut = receive(&server, "3A01", &files.url("/cut/100000/one")).await;
    let stalled = receive(&server, "3A02", &files.url("/stall")).await;
    problem(&server, cut, "waiting", "no response").await;
    problem(&server, stalled, "waiting", "did not arrive within 1 s").await;
    for seq in [cut, stalled] {
        let path = format!("/api/v1/events/{seq}/file");
        assert_eq!(get(server.private, &path).await.code(), "file-waiting");
    }
    assert!(super::files_in(&server.database).is_empty());
    server.stop().await;
}

#[tokio::test]
async fn slow_downloads_hold_up_neither_receiving_nor_reading() {
    let (green_api, files) = stand_ins().await;
    let server = TestServer::with(|config| {
        keeping(&green_api)(config);
        config.media.timeout_seconds = 600;
        config.media.concurrency = 2;
    })
    .await;
    for number in 0..20 {
        receive(&server, &format!("3A{number:02}"), &files.url("/stall")).await;
    }
    files.wait_for("/stall", 2).await;
    let text = message("3B01", "");
    assert_eq!(stored(&server, &text).await, 21);
    let list = get(server.private, "/api/v1/messages").await.json();
    assert_eq!(list["data"].as_array().unwrap().len(), 21);
    // No more than two at a time.
    assert_eq!(files.requests().len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn file_for_which_there_is_no_room_waits() {
    let (green_api, files) = stand_ins().await;
    let server = TestServer::with(|config| {
        keeping(&green_api)(config);
        config.media.max_bytes = 1500;
    })
    .await;
    let first = receive(&server, "3A01", &files.url("/ok/1000/one")).await;
    file(&server, first).await;
    let second = receive(&server, "3A02", &files.url("/ok/1000/two")).await;
    problem(&server, second, "waiting", "media.max_bytes").await;
    let third = receive(&server, "3A03", &files.url("/ok/400/three")).await;
    file(&server, third).await;
    server.stop().await;
}

#[tokio::test]
async fn event_that_is_older_than_any_link_is_not_tried() {
    let (green_api, files) = stand_ins().await;
    let server = server(&green_api).await;
    let folder = server.stop().await;
    // Without the folder nothing reads the events.
    let kept = folder.path().join("inbox.db.media");
    let _ = std::fs::remove_dir_all(&kept);
    assert!(!kept.exists());
    let server = TestServer::at(folder, |config| {
        keeping(&green_api)(config);
        config.accounts[0].media = false;
    })
    .await;
    receive(&server, "3A01", &files.url("/ok/10/one")).await;
    let folder = server.stop().await;
    let server = TestServer::later(folder, 16 * DAY, keeping(&green_api)).await;
    let seq = receive(&server, "3A02", &files.url("/ok/10/two")).await;
    file(&server, seq).await;
    assert_eq!(files.requests(), ["/ok/10/two"]);
    server.stop().await;
}
