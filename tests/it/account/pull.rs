//! `receive = "pull"`: receive, store, commit, delete.

use std::path::Path;
use std::time::Duration;

use green_inbox::config::{self, Receive};
use serde_json::{Value, json};

use super::account;
use crate::process::assert_says;
use crate::support::green_api::{API_TOKEN, INSTANCE};
use crate::support::process::{finish, program, serve};
use crate::support::{GreenApi, Process, TestServer, get};

fn pulled(green_api: &GreenApi) -> config::Account {
    config::Account {
        receive: Receive::Pull,
        watch_seconds: 0,
        ..account(green_api)
    }
}

async fn server(green_api: &GreenApi) -> TestServer {
    TestServer::with(|config| config.accounts = vec![pulled(green_api)]).await
}

fn text(number: i64) -> String {
    json!({
        "typeWebhook": "incomingMessageReceived", "timestamp": 1_767_225_600 + number,
        "instanceData": { "idInstance": INSTANCE, "wid": "79000000001@c.us", "typeInstance": "whatsapp" },
        "idMessage": format!("3A{number:018}"),
        "senderData": { "chatId": "79000000002@c.us", "sender": "79000000002@c.us" },
        "messageData": { "typeMessage": "textMessage", "textMessageData": { "textMessage": "hi" } },
    })
    .to_string()
}

#[tokio::test]
async fn pulled_notification_is_stored_byte_for_byte_and_deleted() {
    let green_api = GreenApi::start().await;
    let body = r#"{ "typeWebhook":"stateInstanceChanged", "instanceData":{"idInstance":1101000001}, "stateInstance" : "authorized","timestamp":1767225600}"#;
    green_api.push(body);
    green_api.push(&text(1));
    let server = server(&green_api).await;
    green_api.wait_until_drained().await;
    let event = get(server.private, "/api/v1/events/1").await.json();
    assert_eq!(
        (&event["origin"], &event["outcome"]),
        (&json!("pull"), &json!("known"))
    );
    assert_eq!(
        get(server.private, "/api/v1/events/1/body").await.body,
        body
    );
    let page = get(server.private, "/api/v1/events?order=asc").await.json();
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    let messages = get(server.private, "/api/v1/messages").await.json();
    assert_eq!(messages["data"][0]["text"], "hi");
    server.stop().await;
}

#[tokio::test]
async fn notification_whose_receipt_is_gone_does_not_stop_the_queue() {
    let green_api = GreenApi::start().await;
    green_api.push(&text(1));
    green_api.push(&text(2));
    // The first is deleted, but the answer says otherwise.
    let gone = "Cannot read properties of undefined (reading 'findUnAckedMessage')";
    green_api.answer_next("deleteNotification", 500, gone);
    let server = server(&green_api).await;
    green_api.wait_until_drained().await;
    let page = get(server.private, "/api/v1/events?order=asc").await.json();
    let deliveries: Vec<_> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["deliveries"])
        .collect();
    assert_eq!(deliveries, [2, 1]);
    server.stop().await;
}

#[tokio::test]
async fn odd_answers_neither_lose_a_notification_nor_block_the_queue() {
    let green_api = GreenApi::start().await;
    green_api.push(&text(1));
    for empty in ["", "null", "{}"] {
        green_api.answer_next("receiveNotification", 200, empty);
    }
    // Invalid JSON at the head of the queue is stored whole and deleted.
    green_api.push(r#"{"typeWebhook":}"#);
    green_api.push(&text(2));
    let server = server(&green_api).await;
    green_api.wait_until_drained().await;
    let page = get(server.private, "/api/v1/events?order=asc").await.json();
    let outcomes: Vec<_> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["outcome"])
        .collect();
    assert_eq!(outcomes, ["known", "malformed", "known"]);
    let body = get(server.private, "/api/v1/events/2/body").await.body;
    assert_eq!(body, r#"{"receiptId":2,"body":{"typeWebhook":}}"#);
    server.stop().await;
}

#[tokio::test]
async fn notification_that_cannot_be_stored_stays_in_the_queue() {
    let green_api = GreenApi::start().await;
    green_api.push(&text(1));
    let server = TestServer::with(|config| {
        config.accounts = vec![pulled(&green_api)];
        config.storage.min_free_bytes = 1 << 60;
    })
    .await;
    green_api.wait_for("receiveNotification", 2).await;
    // One guard: a second one in the same statement would wait for the first.
    let left = {
        let instance = green_api.instance();
        (instance.queue.len(), instance.deleted)
    };
    assert_eq!(left, (1, 0));
    server.stop().await;
}

/// Serves the database in `folder` and pulls from the stand-in.
fn start(folder: &Path, green_api: &GreenApi) -> Process {
    let mut command = serve(folder);
    command
        .env("GREEN_INBOX__GREEN_API__API_URL", green_api.url())
        .args(["--config", "pull.toml"]);
    let config = format!(
        "[[accounts]]\nid_instance = {INSTANCE}\napi_token = \"{API_TOKEN}\"\nreceive = \"pull\"\nwatch_seconds = 0\nreconcile_minutes = 0\n"
    );
    std::fs::write(folder.join("pull.toml"), config).unwrap();
    Process::spawn(&mut command)
}

#[tokio::test(flavor = "multi_thread")]
async fn set_webhook_url_is_named_with_the_fix_and_no_line_has_the_token() {
    let green_api = GreenApi::start().await;
    green_api.push(&text(1));
    green_api
        .instance()
        .settings
        .insert("webhookUrl".to_owned(), "https://other.example".into());
    let folder = tempfile::tempdir().unwrap();
    let process = tokio::task::block_in_place(|| start(folder.path(), &green_api));
    let line = process
        .log
        .wait_for(|line| line.contains("pulling from instance"));
    assert_says(
        &line,
        "a webhook URL is set, so nothing can be pulled…help: run `green-inbox account connect`",
    );
    green_api
        .instance()
        .settings
        .insert("webhookUrl".to_owned(), "".into());
    green_api.wait_until_drained().await;
    assert!(
        !process.log.text().contains("swordfish"),
        "{}",
        process.log.text()
    );
}

/// Kills the program again and again while it pulls.
#[tokio::test(flavor = "multi_thread")]
async fn pulled_notifications_are_stored_once_over_kills_and_deleted_after_their_commit() {
    const NUMBER: i64 = 1500;
    let green_api = GreenApi::start().await;
    for number in 0..NUMBER {
        green_api.push(&text(number));
    }
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("inbox.db");
    // A connection of its own sees only what is committed.
    green_api.instance().may_delete = Some(Box::new(move |body: &Value| {
        let connection = rusqlite::Connection::open(&database).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        let sql = "SELECT count(*) FROM event WHERE id_message = ?1";
        let id = body["idMessage"].as_str().unwrap();
        connection
            .query_row(sql, [id], |row| row.get::<_, i64>(0))
            .unwrap()
            == 1
    }));
    for kill in 1..=8 {
        let mut process = tokio::task::block_in_place(|| start(folder.path(), &green_api));
        let calls = usize::try_from(kill * 137).unwrap();
        green_api.wait_for("deleteNotification", calls).await;
        process.child.kill().unwrap();
        process.child.wait().unwrap();
    }
    let process = tokio::task::block_in_place(|| start(folder.path(), &green_api));
    green_api.wait_until_drained().await;
    assert_eq!(green_api.instance().deleted_early, 0);
    let stats = get(process.private, "/api/v1/stats").await.json();
    let sql = "SELECT count(*), count(DISTINCT id_message), (SELECT count(*) FROM origin WHERE name = 'pull') FROM event";
    let counts = |file: &str| {
        let connection = rusqlite::Connection::open(folder.path().join(file)).unwrap();
        let counts =
            connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        counts.unwrap()
    };
    assert_eq!(counts("inbox.db"), (NUMBER, NUMBER, NUMBER), "{stats}");
    let mut backup = program();
    backup
        .current_dir(folder.path())
        .args(["backup", "copy.db"])
        .env("GREEN_INBOX__STORAGE__PATH", "inbox.db");
    let output = tokio::task::block_in_place(|| finish(&mut backup));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(counts("copy.db"), (NUMBER, NUMBER, NUMBER));
}
