//! State, queue and settings of an account: the API, the metrics and the alerts.

use green_inbox::config::{Destination, SecretUrl, Webhook};
use serde_json::{Value, json};

use super::account;
use crate::support::{GreenApi, Sink, TestServer, get, next_look};

const MINUTE: i64 = 60_000;

async fn server(green_api: &GreenApi, sink: &Sink) -> TestServer {
    TestServer::with(|config| {
        config.accounts = vec![account(green_api)];
        config.alerts.heartbeat_hours = 0;
        config.alerts.to = vec![Destination::Webhook(Webhook {
            url: SecretUrl::new(&sink.url("/alerts")),
            secret_file: None,
        })];
    })
    .await
}

/// The account, once it was checked `count` times.
async fn checked(green_api: &GreenApi, server: &TestServer, count: usize) -> Value {
    green_api.wait_for("getWebhooksCount", count).await;
    loop {
        let page = get(server.private, "/api/v1/accounts").await.json();
        let account = page["data"][0].clone();
        if !account["checkedAt"].is_null() {
            return account;
        }
        next_look().await;
    }
}

#[tokio::test]
async fn account_shows_state_queue_and_settings_in_the_api_and_the_metrics() {
    let (green_api, sink) = (GreenApi::start().await, Sink::start().await);
    green_api.push("{}");
    let server = server(&green_api, &sink).await;
    let account = checked(&green_api, &server, 1).await;
    assert_eq!(account["idInstance"], 1_101_000_001);
    assert_eq!(
        (&account["state"], &account["queueNotifications"]),
        (&json!("authorized"), &json!(1))
    );
    assert_eq!(
        (&account["receive"], &account["failure"]),
        (&json!("webhook"), &Value::Null)
    );
    let differences = account["differences"].as_array().unwrap();
    let expected = json!({ "name": "stateWebhook", "value": "no", "wanted": "yes" });
    assert!(differences.contains(&expected), "{account}");
    let metrics = get(server.private, "/metrics").await.body;
    let metrics = String::from_utf8_lossy(&metrics);
    for line in [
        "green_inbox_account_queue_notifications{id_instance=\"1101000001\"} 1",
        "green_inbox_account_state{id_instance=\"1101000001\",state=\"authorized\"} 1",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    assert!(!metrics.contains("swordfish"));
    let alert = sink.alert("settings-changed", "firing").await;
    assert!(
        alert["summary"].as_str().unwrap().contains("stateWebhook"),
        "{alert}"
    );
    server.stop().await;
}

#[tokio::test]
async fn authorization_that_is_lost_without_a_notification_is_reported() {
    let (green_api, sink) = (GreenApi::start().await, Sink::start().await);
    green_api.instance().state = json!({ "stateInstance": "notAuthorized" });
    let server = server(&green_api, &sink).await;
    checked(&green_api, &server, 1).await;
    server.pass(MINUTE);
    let alert = sink.alert("instance-not-authorized", "firing").await;
    assert_eq!(alert["idInstance"], 1_101_000_001);
    server.stop().await;
}

#[tokio::test]
async fn queue_that_becomes_no_shorter_is_reported_with_the_hours_left_and_ends_when_it_does() {
    let (green_api, sink) = (GreenApi::start().await, Sink::start().await);
    green_api.push("{}");
    let server = server(&green_api, &sink).await;
    checked(&green_api, &server, 1).await;
    server.pass(6 * MINUTE);
    let alert = sink.alert("queue-growing", "firing").await;
    assert_eq!(
        (&alert["severity"], &alert["idInstance"]),
        (&json!("critical"), &json!(1_101_000_001))
    );
    assert!(alert["hoursLeft"].as_f64().unwrap() <= 24.0, "{alert}");
    green_api.instance().queue.clear();
    server.pass(MINUTE);
    sink.alert("queue-growing", "resolved").await;
    server.stop().await;
}

#[tokio::test]
async fn account_that_cannot_be_checked_says_why() {
    let (green_api, sink) = (GreenApi::start().await, Sink::start().await);
    green_api.answer_next("getStateInstance", 401, "");
    let server = server(&green_api, &sink).await;
    green_api.wait_for("getStateInstance", 1).await;
    let account = loop {
        let page = get(server.private, "/api/v1/accounts").await.json();
        if !page["data"][0]["failure"].is_null() {
            break page["data"][0].clone();
        }
        next_look().await;
    };
    assert_eq!(
        account["failure"],
        "getStateInstance: it answered 401: the token is wrong"
    );
    server.pass(16 * MINUTE);
    let alert = sink.alert("account-unreachable", "firing").await;
    assert!(
        alert["summary"].as_str().unwrap().contains("401"),
        "{alert}"
    );
    server.stop().await;
}
