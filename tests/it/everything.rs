//! End to end: every documented example and every sample is received, parsed as known, and
//! returned byte for byte.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use green_inbox::notification;
use green_inbox::sample::{self, Values};
use serde_json::json;

use crate::support::{TestServer, get, post};

/// Posts a body and checks the response, the stored body and the event's columns.
async fn assert_goes_through(server: &TestServer, name: &str, body: &[u8]) -> i64 {
    let answer = post(server.public, body.to_vec()).await.json();
    let seq = answer["seq"].as_i64().unwrap();
    assert_eq!(
        answer,
        json!({"seq": seq, "outcome": "known", "repeated": false}),
        "{name}"
    );
    assert_eq!(
        get(server.private, &format!("/api/v1/events/{seq}/body"))
            .await
            .body,
        body,
        "{name}"
    );

    let event = get(server.private, &format!("/api/v1/events/{seq}"))
        .await
        .json();
    let columns = notification::parse(body).columns;
    let expected = json!({
        "idInstance": columns.id_instance,
        "typeInstance": columns.type_instance.as_deref(),
        "typeWebhook": columns.type_webhook.as_deref(),
        "typeMessage": columns.type_message.as_deref(),
        "idMessage": columns.id_message.as_deref(),
        "chatId": columns.chat_id.as_deref(),
        "sender": columns.sender.as_deref(),
        "timestamp": columns.timestamp,
        "outcome": "known",
        "reason": null,
        "deliveries": 1,
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&event[field], value, "{field} of {name}");
    }
    seq
}

#[tokio::test]
async fn every_example_is_known_and_returned_unchanged() {
    let server = TestServer::start().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/notification/examples");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut seqs = HashSet::new();
    for file in files.filter(|file| {
        file.extension()
            .is_some_and(|extension| extension == "json")
    }) {
        let body = fs::read(&file).unwrap();
        seqs.insert(assert_goes_through(&server, &file.display().to_string(), &body).await);
    }
    assert_eq!(seqs.len(), 54);
    server.stop().await;
}

#[tokio::test]
async fn every_sample_is_known_and_returned_unchanged() {
    let server = TestServer::start().await;
    let samples = sample::all();
    let mut seqs = HashSet::new();
    for (line, sample) in samples.iter().enumerate() {
        // Each sample gets its own instance, so that no two bodies are equal.
        let id_instance = 7_100_000_000 + i64::try_from(line).unwrap();
        let values = Values {
            id_instance,
            serial: 7,
            timestamp: 1_767_225_600,
        };
        seqs.insert(assert_goes_through(&server, sample.name(), &sample.body(&values)).await);
    }
    assert_eq!(seqs.len(), samples.len());
    server.stop().await;
}
