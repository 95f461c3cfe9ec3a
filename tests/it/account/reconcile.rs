//! Journals against the database: what never arrived is found and stored.

use std::collections::BTreeSet;

use green_inbox::config::Config;
use hyper::{Method, StatusCode};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::account;
use crate::support::green_api::INSTANCE;
use crate::support::server::START;
use crate::support::{GreenApi, TestServer, append_all, get, next_look, post, request};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// The start of the test clock in seconds.
pub(super) const NOW: i64 = START / 1000;

pub(super) const CHAT: &str = "79000000002@c.us";
pub(super) const INCOMING: &str = "lastIncomingMessages";
pub(super) const OUTGOING: &str = "lastOutgoingMessages";

fn configure(green_api: &GreenApi) -> impl FnOnce(&mut Config) {
    let account = account(green_api);
    |config| config.accounts = vec![account]
}

pub(super) async fn server(green_api: &GreenApi) -> TestServer {
    TestServer::with(configure(green_api)).await
}

/// Compares the journals, and returns the result.
pub(super) async fn reconcile(server: &TestServer, query: &str) -> Value {
    let path = format!("/api/v1/accounts/{INSTANCE}/reconcile?{query}");
    let begun = request(server.private, Method::POST, &path, &[], "").await;
    assert_eq!(begun.status, StatusCode::OK, "{begun:?}");
    assert_eq!(begun.json()["finishedAt"], Value::Null);
    finished(server).await
}

/// The last comparison, once it has ended.
async fn finished(server: &TestServer) -> Value {
    loop {
        let page = get(server.private, "/api/v1/accounts").await.json();
        let report = page["data"][0]["reconciled"].clone();
        if !report["finishedAt"].is_null() {
            return report;
        }
        next_look().await;
    }
}

/// Found, missing, stored and not recoverable.
pub(super) fn counts(report: &Value) -> [i64; 4] {
    assert_eq!(report["failure"], Value::Null, "{report}");
    ["found", "missing", "stored", "notRecoverable"].map(|name| report[name].as_i64().unwrap())
}

/// An entry of the journal of received messages, an hour old.
pub(super) fn entry(id: &str, text: &str) -> Value {
    json!({
        "type": "incoming", "idMessage": id, "timestamp": NOW - 3600, "typeMessage": "textMessage", "chatId": CHAT,
        "textMessage": text, "senderId": CHAT, "senderName": "Ann", "senderContactName": "",
    })
}

pub(super) fn instance_data() -> Value {
    json!({ "idInstance": INSTANCE, "wid": "79000000001@c.us", "typeInstance": "whatsapp" })
}

/// The notification of [`entry`], as GREEN-API sends it.
pub(super) fn notification(id: &str, text: &str) -> Value {
    json!({
        "typeWebhook": "incomingMessageReceived", "timestamp": NOW - 3600, "idMessage": id, "instanceData": instance_data(),
        "senderData": {
            "chatId": CHAT, "sender": CHAT, "chatName": "Ann", "senderName": "Ann", "senderContactName": "",
        },
        "messageData": { "typeMessage": "textMessage", "textMessageData": { "textMessage": text } },
    })
}

pub(super) fn id(number: usize) -> String {
    format!("3A{number:018}")
}

pub(super) async fn data(server: &TestServer, path: &str) -> Vec<Value> {
    let page = get(server.private, path).await.json();
    page["data"].as_array().unwrap().clone()
}

/// The identifiers of the events that came from a journal.
fn from_journal(server: &TestServer) -> Vec<String> {
    let connection = Connection::open(&server.database).unwrap();
    let sql =
        "SELECT id_message FROM event JOIN origin USING (seq) WHERE name = 'journal' ORDER BY seq";
    let mut statement = connection.prepare(sql).unwrap();
    let ids = statement.query_map([], |row| row.get(0)).unwrap();
    ids.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn one_percent_that_never_arrived_is_found_and_a_second_run_changes_nothing() {
    const NUMBER: usize = 10_000;
    let is_lost = |number: usize| number % 100 == 37;
    let green_api = GreenApi::start().await;
    let entries: Vec<_> = (0..NUMBER).map(|number| entry(&id(number), "hi")).collect();
    green_api
        .instance()
        .journals
        .insert(INCOMING.to_owned(), entries.into());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.db");
    let mut store = green_inbox::store::open(&path, NUMBER, 0).await.unwrap();
    let bodies = (0..NUMBER).filter(|number| !is_lost(*number));
    let bodies = bodies.map(|number| notification(&id(number), "hi").to_string());
    let stored = append_all(&store.writer, bodies).await;
    assert!(stored.iter().all(Result::is_ok));
    drop(store.writer);
    store.thread.ended().await;
    store.projection.ended().await;
    store.reader.close().await;
    let server = TestServer::at(folder, configure(&green_api)).await;
    let report = reconcile(&server, "dryRun=true").await;
    assert_eq!(counts(&report), [10_000, 100, 0, 0]);
    assert_eq!(from_journal(&server), Vec::<String>::new());
    let report = reconcile(&server, "").await;
    assert_eq!(counts(&report), [10_000, 100, 100, 0]);
    let lost: Vec<_> = (0..NUMBER)
        .filter(|number| is_lost(*number))
        .map(id)
        .collect();
    assert_eq!(from_journal(&server), lost);
    let report = reconcile(&server, "").await;
    assert_eq!(counts(&report), [10_000, 0, 0, 0]);
    assert_eq!(from_journal(&server), lost);
    assert_eq!(green_api.calls_of("getMessage").len(), lost.len());
    let stats = get(server.private, "/api/v1/stats").await.json();
    assert_eq!(
        (&stats["events"], &stats["messages"]),
        (&json!(10_000), &json!(10_000))
    );
    server.stop().await;
}

#[tokio::test]
async fn message_that_comes_after_it_was_restored_is_one_message() {
    let green_api = GreenApi::start().await;
    green_api.switch_on();
    green_api.record(INCOMING, entry(&id(1), "hi"));
    let mut sent = entry(&id(2), "ok");
    sent["type"] = json!("outgoing");
    sent["sendByApi"] = json!(true);
    sent["statusMessage"] = json!("delivered");
    green_api.record(OUTGOING, sent);
    let server = server(&green_api).await;
    let report = reconcile(&server, "").await;
    assert_eq!(
        (counts(&report), &report["statuses"]),
        ([2, 2, 2, 0], &json!(1))
    );
    // Later GREEN-API sends them all the same, and statuses.
    let late = post(server.public, notification(&id(1), "hi").to_string())
        .await
        .json();
    let mut late_sent = notification(&id(2), "ok");
    late_sent["typeWebhook"] = json!("outgoingAPIMessageReceived");
    post(server.public, late_sent.to_string()).await;
    for status in ["sent", "delivered", "read"] {
        let status = json!({
            "typeWebhook": "outgoingMessageStatus", "chatId": CHAT, "instanceData": instance_data(),
            "timestamp": NOW - 60, "idMessage": id(2), "status": status, "sendByApi": true,
        });
        post(server.public, status.to_string()).await;
    }
    let messages = data(&server, "/api/v1/messages?order=asc").await;
    let shown: Vec<_> = messages
        .iter()
        .map(|one| (&one["idMessage"], &one["text"], &one["status"]))
        .collect();
    let (first, second) = (json!(id(1)), json!(id(2)));
    assert_eq!(
        shown,
        [
            (&first, &json!("hi"), &Value::Null),
            (&second, &json!("ok"), &json!("read"))
        ]
    );
    let seq = &late["seq"];
    let event = get(server.private, &format!("/api/v1/events/{seq}"))
        .await
        .json();
    assert_eq!(
        (&event["duplicateOf"], &event["origin"]),
        (&json!(1), &json!("webhook"))
    );
    let report = reconcile(&server, "").await;
    assert_eq!(
        (counts(&report), &report["statuses"]),
        ([2, 0, 0, 0], &json!(0))
    );
    server.stop().await;
}

#[tokio::test]
async fn what_was_not_to_come_is_not_missing() {
    let green_api = GreenApi::start().await;
    let young = |mut entry: Value| {
        entry["timestamp"] = json!(NOW - 120);
        entry
    };
    green_api.record(INCOMING, young(entry(&id(1), "on its way")));
    green_api.record(INCOMING, json!({ "type": "incoming", "timestamp": NOW - 3600, "typeMessage": "incomingBlock", "chatId": CHAT }));
    green_api.record(INCOMING, json!("not an entry"));
    let mut poll = entry(&id(2), "");
    poll["typeMessage"] = json!("pollMessage");
    // The switch for polls is off, and that for sent messages.
    green_api.record(INCOMING, poll);
    let mut sent = entry(&id(3), "sent");
    sent["type"] = json!("outgoing");
    green_api.record(OUTGOING, sent.clone());
    let mut ignored = entry(&id(4), "");
    ignored["typeMessage"] = json!("stickerMessage");
    ignored["downloadUrl"] = json!("");
    green_api.record(INCOMING, ignored);
    let account = account(&green_api);
    let server = TestServer::with(|config| {
        config.accounts = vec![account];
        config.ingest.ignored_types = vec!["stickerMessage".to_owned()];
    })
    .await;
    assert_eq!(counts(&reconcile(&server, "").await), [1, 0, 0, 0]);
    // A message that waits in the send queue was not sent.
    green_api.switch_on();
    sent["statusMessage"] = json!("pending");
    green_api
        .instance()
        .journals
        .insert(OUTGOING.to_owned(), json!([sent]));
    green_api
        .instance()
        .journals
        .insert(INCOMING.to_owned(), json!([]));
    assert_eq!(counts(&reconcile(&server, "").await), [0, 0, 0, 0]);
    assert_eq!(green_api.calls_of("getMessage").len(), 0);
    server.stop().await;
}

#[tokio::test]
async fn message_without_content_cannot_be_recovered_and_one_that_is_not_found_comes_from_the_journal()
 {
    let green_api = GreenApi::start().await;
    green_api.switch_on();
    let mut contacts = entry(&id(1), "");
    contacts["typeMessage"] = json!("contactsArrayMessage");
    contacts.as_object_mut().unwrap().remove("textMessage");
    green_api.record(INCOMING, contacts);
    green_api.record(INCOMING, entry(&id(2), "from the journal"));
    let mut sent = entry(&id(3), "may not be sent");
    sent["type"] = json!("outgoing");
    green_api.record(OUTGOING, sent);
    let server = server(&green_api).await;
    for _ in 0..3 {
        green_api.answer_next("getMessage", 400, "Message not found by id '3A'");
    }
    let report = reconcile(&server, "").await;
    assert_eq!(counts(&report), [3, 3, 1, 2]);
    assert_eq!(from_journal(&server), [id(2)]);
    let messages = data(&server, "/api/v1/messages").await;
    assert_eq!(messages[0]["text"], "from the journal");
    server.stop().await;
}

#[tokio::test]
async fn message_of_the_same_person_under_another_identifier_is_not_missing() {
    let green_api = GreenApi::start().await;
    green_api.record(INCOMING, entry(&id(1), "hi"));
    let server = server(&green_api).await;
    let mut body = notification(&id(1), "hi");
    body["senderData"]["chatId"] = json!("123456789012345@lid");
    body["senderData"]["sender"] = json!("123456789012345@lid");
    post(server.public, body.to_string()).await;
    assert_eq!(counts(&reconcile(&server, "").await), [1, 0, 0, 0]);
    // The same identifier in a group is another message.
    let mut group = entry(&id(1), "hi");
    group["chatId"] = json!("120363000000000001@g.us");
    green_api.record(INCOMING, group);
    assert_eq!(counts(&reconcile(&server, "").await), [2, 1, 1, 0]);
    server.stop().await;
}

#[tokio::test]
async fn message_of_which_only_a_status_came_is_missing() {
    let green_api = GreenApi::start().await;
    green_api.switch_on();
    let mut sent = entry(&id(1), "ok");
    sent["type"] = json!("outgoing");
    sent["statusMessage"] = json!("read");
    green_api.record(OUTGOING, sent);
    let server = server(&green_api).await;
    let status = json!({
        "typeWebhook": "outgoingMessageStatus", "chatId": CHAT, "instanceData": instance_data(),
        "timestamp": NOW - 3600, "idMessage": id(1), "status": "read",
    });
    post(server.public, status.to_string()).await;
    let report = reconcile(&server, "").await;
    assert_eq!(
        (counts(&report), &report["statuses"]),
        ([1, 1, 1, 0], &json!(0))
    );
    let messages = data(&server, "/api/v1/messages").await;
    assert_eq!(messages.len(), 1);
    assert_eq!(
        (&messages[0]["text"], &messages[0]["status"]),
        (&json!("ok"), &json!("read"))
    );
    server.stop().await;
}

#[tokio::test]
async fn message_that_retention_deleted_is_not_missing() {
    let green_api = GreenApi::start().await;
    green_api.record(INCOMING, entry(&id(1), "old"));
    let server = TestServer::start().await;
    post(server.public, notification(&id(1), "old").to_string()).await;
    let folder = server.stop().await;
    let configure = configure(&green_api);
    let server = TestServer::later(folder, 2 * DAY, |config| {
        configure(config);
        config.storage.retention_days = 1;
    })
    .await;
    while get(server.private, "/api/v1/stats").await.json()["oldestSeq"] == json!(1) {
        next_look().await;
    }
    let since = "since=2025-12-31T00:00:00Z";
    assert_eq!(counts(&reconcile(&server, since).await), [0, 0, 0, 0]);
    post(server.public, notification(&id(2), "new").to_string()).await;
    assert_eq!(counts(&reconcile(&server, since).await), [0, 0, 0, 0]);
    server.stop().await;
}

#[tokio::test]
async fn more_missing_calls_than_are_kept_at_once_are_all_stored() {
    const NUMBER: usize = 5_100;
    let green_api = GreenApi::start().await;
    green_api.switch_on();
    let calls = (0..NUMBER).map(|number| {
        json!({
            "type": "incoming", "idMessage": id(number), "timestamp": NOW - 3600, "typeMessage": "incomingCall",
            "chatId": CHAT, "isVideo": false, "status": "missed",
        })
    });
    let calls: Vec<_> = calls.collect();
    green_api
        .instance()
        .journals
        .insert("lastIncomingCalls".to_owned(), calls.into());
    let server = server(&green_api).await;
    let number = i64::try_from(NUMBER).unwrap();
    assert_eq!(
        counts(&reconcile(&server, "").await),
        [number, number, number, 0]
    );
    assert_eq!(green_api.calls_of("lastIncomingCalls").len(), 2);
    let stored: BTreeSet<_> = from_journal(&server).into_iter().collect();
    assert_eq!(stored.len(), NUMBER);
    server.stop().await;
}

#[tokio::test]
async fn clock_compares_only_an_account_that_can_be_reached_and_counts_in_the_metrics() {
    let green_api = GreenApi::start().await;
    green_api.record(INCOMING, entry(&id(1), "hi"));
    // The first check fails, so the comparison has to wait for the next one.
    green_api.answer_next("getStateInstance", 401, "");
    let mut account = account(&green_api);
    account.reconcile_minutes = 60;
    let server = TestServer::with(|config| config.accounts = vec![account]).await;
    // The watch follows the clock of the test.
    while green_api.calls_of("getStateInstance").len() < 2 {
        server.pass(11_000);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let report = finished(&server).await;
    assert_eq!(counts(&report), [1, 1, 1, 0]);
    let methods: Vec<_> = green_api
        .calls()
        .into_iter()
        .map(|call| call.method)
        .collect();
    let first = methods
        .iter()
        .position(|method| method == INCOMING)
        .unwrap();
    let states = methods[..first]
        .iter()
        .filter(|method| *method == "getStateInstance");
    assert!(states.count() >= 2, "{methods:?}");
    let metrics = get(server.private, "/metrics").await.body;
    let metrics = String::from_utf8_lossy(&metrics);
    for (result, count) in [
        ("found", 1),
        ("missing", 1),
        ("stored", 1),
        ("not_recoverable", 0),
    ] {
        let line = format!(
            "green_inbox_account_reconciled_total{{id_instance=\"{INSTANCE}\",result=\"{result}\"}} {count}"
        );
        assert!(metrics.contains(&line), "{metrics}");
    }
    // Nothing was sent to us, so neither lag nor the time of the last notification is known.
    assert!(
        metrics.contains("green_inbox_delivery_lag_seconds_count 0"),
        "{metrics}"
    );
    assert!(
        !metrics.contains("green_inbox_last_notification_timestamp_seconds{"),
        "{metrics}"
    );
    server.stop().await;
}

#[tokio::test]
async fn comparison_that_fails_says_why_and_the_next_one_goes_on() {
    let green_api = GreenApi::start().await;
    green_api.record(INCOMING, entry(&id(1), "hi"));
    green_api.record(INCOMING, entry(&id(2), "hi"));
    let server = server(&green_api).await;
    green_api.answer_next(
        INCOMING,
        466,
        r#"{"invokeStatus":{"method":"x","status":"QUOTE_EXCEEDED"}}"#,
    );
    let report = reconcile(&server, "").await;
    assert_eq!(
        report["failure"],
        "lastIncomingMessages: it answered 466: QUOTE_EXCEEDED for x"
    );
    green_api.answer_next(INCOMING, 200, r#"[{"idMessage":"1"#);
    let report = reconcile(&server, "").await;
    let expected = "lastIncomingMessages: the response is not understood: it ends within the list";
    assert_eq!(report["failure"], expected);
    green_api.answer_next("getMessage", 401, "");
    let report = reconcile(&server, "").await;
    assert_eq!(
        report["failure"],
        "getMessage: it answered 401: the token is wrong"
    );
    assert_eq!(report["missing"], 2);
    assert_eq!(counts(&reconcile(&server, "").await), [2, 2, 2, 0]);
    server.stop().await;
}

#[tokio::test]
async fn request_that_cannot_be_met_is_refused() {
    let green_api = GreenApi::start().await;
    let server = server(&green_api).await;
    for (path, status) in [
        (
            format!("{INSTANCE}/reconcile?since=2025-11-01T00:00:00Z"),
            400,
        ),
        (
            format!("{INSTANCE}/reconcile?since=2026-01-02T00:00:00Z"),
            400,
        ),
        (format!("{INSTANCE}/reconcile?minutes=5"), 400),
        ("x/reconcile".to_owned(), 400),
        ("7/reconcile".to_owned(), 404),
    ] {
        let path = format!("/api/v1/accounts/{path}");
        let answer = request(server.private, Method::POST, &path, &[], "").await;
        assert_eq!(answer.status, status, "{path}");
    }
    let path = format!("/api/v1/accounts/{INSTANCE}/reconcile");
    assert_eq!(
        get(server.private, &path).await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
    server.stop().await;
}
