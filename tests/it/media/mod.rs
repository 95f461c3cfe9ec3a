//! `media = true`: files are kept, against stand-ins for GREEN-API and for the server of its links.

mod backup;
mod guard;
mod https;
mod kept;
mod kill;
mod links;
mod range;
mod retention;

use std::net::SocketAddr;
use std::time::Duration;

use green_inbox::config::{self, Config};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::account::account;
use crate::support::green_api::INSTANCE;
use crate::support::process::PATIENCE;
use crate::support::{Answer, Files, GreenApi, TestServer, get, post};

/// The chat of every message.
const CHAT: &str = "79000000002@c.us";

/// Settings with which the account keeps files from the stand-ins.
fn keeping(green_api: &GreenApi) -> impl FnOnce(&mut Config) {
    let account = config::Account {
        media: true,
        watch_seconds: 0,
        ..account(green_api)
    };
    |config: &mut Config| {
        config.accounts = vec![account];
        config.media.allow_private = vec!["127.0.0.1".parse().unwrap()];
        config.media.timeout_seconds = 5;
    }
}

async fn server(green_api: &GreenApi) -> TestServer {
    TestServer::with(keeping(green_api)).await
}

/// A message with a file.
fn message(id: &str, url: &str) -> Value {
    json!({
        "typeWebhook": "incomingMessageReceived", "timestamp": 1_767_225_600,
        "instanceData": { "idInstance": INSTANCE, "wid": "79000000001@c.us", "typeInstance": "whatsapp" },
        "idMessage": id,
        "senderData": { "chatId": CHAT, "sender": CHAT, "senderName": "Anna" },
        "messageData": { "typeMessage": "imageMessage", "fileMessageData": {
            "downloadUrl": url, "caption": "", "fileName": "торт.jpg", "mimeType": "image/jpeg",
        } },
    })
}

/// Posts a message with a file, and returns its seq.
async fn receive(server: &TestServer, id: &str, url: &str) -> i64 {
    stored(server, &message(id, url)).await
}

async fn stored(server: &TestServer, notification: &Value) -> i64 {
    let answer = post(server.public, notification.to_string()).await;
    assert_eq!(answer.status, 200);
    answer.json()["seq"].as_i64().unwrap()
}

/// Requests a path until the answer is as expected.
async fn until(address: SocketAddr, path: &str, is_met: impl Fn(&Answer) -> bool) -> Answer {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = get(address, path).await;
        if is_met(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "{path}: {answer:?}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until the file of an event is kept, and returns the answer.
async fn file(server: &TestServer, seq: i64) -> Answer {
    let path = format!("/api/v1/events/{seq}/file");
    until(server.private, &path, |answer| answer.status == 200).await
}

/// Waits until the last attempt at the file of an event has failed like this; returns the record.
async fn problem(server: &TestServer, seq: i64, state: &str, problem: &str) -> Value {
    let path = format!("/api/v1/events/{seq}");
    let record = |answer: &Answer| answer.json()["file"].clone();
    let says = |answer: &Answer| {
        let record = record(answer);
        record["state"] == state
            && record["problem"]
                .as_str()
                .unwrap_or_default()
                .contains(problem)
    };
    record(&until(server.private, &path, says).await)
}

/// Files in the folder of a database, without the incomplete ones.
fn files_in(database: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut folder = database.as_os_str().to_owned();
    folder.push(".media");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        if entry.file_name() != "incomplete" {
            let files = std::fs::read_dir(entry.path()).unwrap();
            found.extend(files.map(|file| file.unwrap().path()));
        }
    }
    found
}

/// The stand-ins.
async fn stand_ins() -> (GreenApi, Files) {
    (GreenApi::start().await, Files::start().await)
}
