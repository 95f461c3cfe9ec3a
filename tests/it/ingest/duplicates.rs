//! Duplicates: a body received again is recognized by its bytes and counted on the first event.

use std::collections::HashSet;

use serde_json::json;
use tokio::task::JoinSet;

use super::{bytes, event, events, notice, seq, untimed};
use crate::support::{TestServer, post};

const HOUR: i64 = 60 * 60 * 1000;

#[tokio::test]
async fn duplicate_is_counted_on_the_first_event() {
    let server = TestServer::start().await;
    post(server.public, notice(1)).await;
    let first = event(&server, 1).await;
    assert_eq!(first["deliveries"], 1);
    assert_eq!(first["receivedAt"], "2026-01-01T00:00:00.000Z");
    assert_eq!(first["lastReceivedAt"], first["receivedAt"]);

    for (deliveries, last) in [
        (2, "2026-01-01T00:01:00.000Z"),
        (3, "2026-01-01T00:02:00.000Z"),
    ] {
        server.pass(60_000);
        let answer = post(server.public, notice(1)).await;
        assert_eq!(
            answer.json(),
            json!({"seq": 1, "outcome": "known", "repeated": true})
        );
        let again = event(&server, 1).await;
        assert_eq!(again["deliveries"], deliveries);
        assert_eq!(again["receivedAt"], first["receivedAt"]);
        assert_eq!(again["lastReceivedAt"], last);
    }
    assert_eq!(events(&server).await.len(), 1);
}

#[tokio::test]
async fn duplicate_is_recognized_after_a_restart() {
    let server = TestServer::start().await;
    post(server.public, notice(1)).await;
    post(server.public, untimed(1)).await;
    let server = TestServer::at(server.stop().await, |_| {}).await;
    for (first, body) in [(1, notice(1)), (2, untimed(1))] {
        let answer = post(server.public, body).await;
        assert_eq!(
            answer.json(),
            json!({"seq": first, "outcome": "known", "repeated": true})
        );
    }
    // Duplicates use up no seq: a gap would look like a loss.
    let answer = post(server.public, notice(2)).await;
    assert_eq!(seq(&answer), 3);
}

#[tokio::test]
async fn one_different_byte_makes_a_new_event() {
    let server = TestServer::start().await;
    let body = notice(1);
    let bodies = [
        body.clone(),
        format!("{body}\n"),
        format!(" {body}"),
        body.replace(':', ": "),
        body.replace("authorized", "notAuthorized"),
    ];
    for (index, body) in bodies.iter().enumerate() {
        let answer = post(server.public, body.clone()).await;
        assert_eq!(
            answer.json(),
            json!({"seq": index + 1, "outcome": "known", "repeated": false})
        );
    }
}

#[tokio::test]
async fn different_text_under_the_same_id_is_a_new_event() {
    let server = TestServer::start().await;
    let message = |text: &str| {
        json!({
            "typeWebhook": "incomingMessageReceived",
            "instanceData": {
                "idInstance": 7_105_000_001_u64,
                "wid": "10000000001@c.us",
                "typeInstance": "whatsapp",
            },
            "timestamp": 1_767_225_000,
            "idMessage": "B1F09AC4",
            "senderData": {"chatId": "10000000002@c.us", "sender": "10000000002@c.us"},
            "messageData": {
                "typeMessage": "textMessage",
                "textMessageData": {"textMessage": text},
            },
        })
        .to_string()
    };
    for (seq, text) in [(1, "{{SWE001}}"), (2, "Is the bakery open?")] {
        let answer = post(server.public, message(text)).await;
        assert_eq!(
            answer.json(),
            json!({"seq": seq, "outcome": "known", "repeated": false})
        );
        assert_eq!(event(&server, seq).await["idMessage"], "B1F09AC4");
        assert_eq!(bytes(&server, seq).await, message(text));
    }
    assert_eq!(
        post(server.public, message("{{SWE001}}")).await.json()["seq"],
        1
    );
}

#[tokio::test]
async fn malformed_and_unknown_bodies_are_deduplicated_too() {
    let server = TestServer::start().await;
    for (seq, body) in [
        (1, ""),
        (2, "\0\0"),
        (3, r#"{"typeWebhook":"cupOfTeaPoured"}"#),
    ] {
        for repeated in [false, true, true] {
            let answer = post(server.public, body).await.json();
            assert_eq!(
                (&answer["seq"], &answer["repeated"]),
                (&json!(seq), &json!(repeated))
            );
        }
        assert_eq!(event(&server, seq).await["deliveries"], 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_concurrent_copies_are_one_event() {
    let server = TestServer::start().await;
    let mut posts = JoinSet::new();
    for _ in 0..200 {
        posts.spawn(post(server.public, notice(1)));
    }
    let answers = posts.join_all().await;
    let seqs: HashSet<_> = answers.iter().map(seq).collect();
    assert_eq!(seqs, HashSet::from([1]));
    let first = answers
        .iter()
        .filter(|answer| answer.json()["repeated"] == false);
    assert_eq!(first.count(), 1);
    let stored = events(&server).await;
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0]["deliveries"], 200);
}

#[tokio::test]
async fn body_without_a_timestamp_is_a_duplicate_for_25_hours() {
    let server = TestServer::start().await;
    let again = async || post(server.public, untimed(1)).await.json();
    assert_eq!(again().await["repeated"], false);
    for passed in [24 * HOUR, HOUR] {
        server.pass(passed);
        let answer = again().await;
        assert_eq!(
            (&answer["seq"], &answer["repeated"]),
            (&json!(1), &json!(true))
        );
    }

    server.pass(1);
    let answer = again().await;
    assert_eq!(
        (&answer["seq"], &answer["repeated"]),
        (&json!(2), &json!(false))
    );
    server.pass(HOUR);
    let answer = again().await;
    assert_eq!(
        (&answer["seq"], &answer["repeated"]),
        (&json!(2), &json!(true))
    );

    assert_eq!(event(&server, 1).await["deliveries"], 3);
    let newer = event(&server, 2).await;
    assert_eq!(newer["deliveries"], 2);
    assert_eq!(newer["receivedAt"], "2026-01-02T01:00:00.001Z");
    assert_eq!(newer["lastReceivedAt"], "2026-01-02T02:00:00.001Z");
}

#[tokio::test]
async fn duplicate_after_the_clock_is_set_back_counts_on_the_newest_event() {
    let server = TestServer::start().await;
    post(server.public, untimed(1)).await;
    server.pass(25 * HOUR + 1);
    post(server.public, untimed(1)).await;

    // Now both events are within the 25 hours.
    server.pass(-2 * HOUR);
    let answer = post(server.public, untimed(1)).await;
    assert_eq!(seq(&answer), 2);
    let newer = event(&server, 2).await;
    assert_eq!(newer["deliveries"], 2);
    assert_eq!(newer["receivedAt"], "2026-01-02T01:00:00.001Z");
    assert_eq!(newer["lastReceivedAt"], newer["receivedAt"]);
}

#[tokio::test]
async fn body_with_a_timestamp_is_a_duplicate_forever() {
    let server = TestServer::start().await;
    post(server.public, notice(1)).await;
    server.pass(200 * 24 * HOUR);
    let answer = post(server.public, notice(1)).await;
    assert_eq!(
        answer.json(),
        json!({"seq": 1, "outcome": "known", "repeated": true})
    );
    assert_eq!(
        event(&server, 1).await["lastReceivedAt"],
        "2026-07-20T00:00:00.000Z"
    );
}
