//! Log lines of received notifications: the right level, and no content or token.

use serde_json::{Value, json};

use super::post_with;
use crate::support::{Process, get, post};

/// Parts of the bodies and tokens that must not appear in the log.
const SECRETS: [&str; 5] = [
    "open-sesame",
    "open-barley",
    "10000000002",
    "Grandmother",
    "seven buns",
];

fn message(type_message: &str) -> String {
    json!({
        "typeWebhook": "incomingMessageReceived",
        "instanceData": {
            "idInstance": 7_105_000_001_u64,
            "wid": "10000000001@c.us",
            "typeInstance": "whatsapp",
        },
        "timestamp": 1_767_225_000,
        "idMessage": "B1F09AC4",
        "senderData": {
            "chatId": "10000000002@c.us",
            "sender": "10000000002@c.us",
            "senderName": "Grandmother",
        },
        "messageData": {
            "typeMessage": type_message,
            "textMessageData": {"textMessage": "seven buns"},
        },
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_have_their_level_and_no_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path());
    let whole = message("textMessage");
    post(process.public, whole.clone()).await;
    post(process.public, message("bakeryOrder")).await;
    post(
        process.public,
        whole.replace(r#""seven buns""#, r#"["seven buns"]"#),
    )
    .await;
    post(process.public, whole.replace('}', "")).await;
    let wrong = [("authorization", "Bearer open-barley")];
    post_with(process.public, &wrong, whole).await;
    let feed = get(process.private, "/api/v1/events?after=0").await.json();
    assert_eq!(feed["data"].as_array().unwrap().len(), 4);
    process.signal("TERM");
    assert_eq!(process.wait().code(), Some(0));
    process.log.wait_for(|line| line.contains("stopped:"));

    let text = process.log.text();
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let levels: Vec<_> = lines
        .iter()
        .filter(|line| {
            let fields = &line["fields"];
            let names = ["outcome", "client", "found"];
            names.iter().any(|name| fields[name].is_string())
        })
        .map(|line| line["level"].as_str().unwrap())
        .collect();
    // The third notification logs two lines: the event itself, and its text of the wrong type.
    assert_eq!(
        levels,
        ["INFO", "WARN", "WARN", "ERROR", "ERROR", "WARN"],
        "{text}"
    );
}
