//! `GET /api/v1/events/{seq}` and `GET /api/v1/events/{seq}/body`.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::list;
use crate::support::{TestServer, get, post};

/// Posts a body to an empty server and returns its event.
async fn event_of(body: impl Into<Vec<u8>>) -> Value {
    let server = TestServer::start().await;
    assert_eq!(post(server.public, body.into()).await.json()["seq"], 1);
    get(server.private, "/api/v1/events/1").await.json()
}

/// The `body` and the outcome of the event that a posted body becomes.
async fn shown(body: impl Into<Vec<u8>>) -> (Value, String) {
    let event = event_of(body).await;
    let outcome = event["outcome"].as_str().unwrap().to_owned();
    (event["body"].clone(), outcome)
}

async fn refused(server: SocketAddr, path: &str) -> (u16, String, Value) {
    let answer = get(server, path).await;
    let code = answer.code();
    (
        answer.status.as_u16(),
        code,
        answer.json()["detail"].clone(),
    )
}

#[tokio::test]
async fn known_event_has_every_field() {
    let body = json!({
        "typeWebhook": "incomingMessageReceived",
        "instanceData": {
            "idInstance": 1_101_000_001,
            "wid": "79001112233@c.us",
            "typeInstance": "whatsapp",
        },
        "timestamp": 1_767_225_599,
        "idMessage": "ABC0001",
        "senderData": {
            "chatId": "120363000000000001@g.us",
            "sender": "79004445566@c.us",
            "senderName": "Nina",
        },
        "messageData": {
            "typeMessage": "textMessage",
            "textMessageData": { "textMessage": "Two loaves, please" },
        },
    });
    assert_eq!(
        event_of(body.to_string()).await,
        json!({
            "seq": 1,
            "receivedAt": "2026-01-01T00:00:00.000Z",
            "lastReceivedAt": "2026-01-01T00:00:00.000Z",
            "deliveries": 1,
            "outcome": "known",
            "reason": null,
            "drift": [],
            "duplicateOf": null,
            "origin": "webhook",
            "idInstance": 1_101_000_001,
            "typeInstance": "whatsapp",
            "typeWebhook": "incomingMessageReceived",
            "typeMessage": "textMessage",
            "idMessage": "ABC0001",
            "chatId": "120363000000000001@g.us",
            "sender": "79004445566@c.us",
            "timestamp": 1_767_225_599,
            "body": body,
        })
    );
}

#[tokio::test]
async fn unknown_event_has_the_fields_of_its_body_and_null_for_the_rest() {
    let body = json!({ "typeWebhook": "weatherChanged", "chatId": "100@c.us" });
    assert_eq!(
        event_of(body.to_string()).await,
        json!({
            "seq": 1,
            "receivedAt": "2026-01-01T00:00:00.000Z",
            "lastReceivedAt": "2026-01-01T00:00:00.000Z",
            "deliveries": 1,
            "outcome": "unknown",
            "reason": null,
            "drift": [],
            "duplicateOf": null,
            "origin": "webhook",
            "idInstance": null,
            "typeInstance": null,
            "typeWebhook": "weatherChanged",
            "typeMessage": null,
            "idMessage": null,
            "chatId": "100@c.us",
            "sender": null,
            "timestamp": null,
            "body": body,
        })
    );
}

#[tokio::test]
async fn event_with_mistyped_fields_is_known_and_lists_them_as_drift() {
    let body = json!({
        "typeWebhook": "stateInstanceChanged",
        "instanceData": { "idInstance": 1_101_000_002, "typeInstance": 7 },
        "timestamp": "soon",
        "stateInstance": "authorized",
    });
    let event = event_of(body.to_string()).await;
    assert_eq!(
        event,
        json!({
            "seq": 1,
            "receivedAt": "2026-01-01T00:00:00.000Z",
            "lastReceivedAt": "2026-01-01T00:00:00.000Z",
            "deliveries": 1,
            "outcome": "known",
            "reason": null,
            "drift": [
                {
                    "path": "instanceData.typeInstance",
                    "expected": "a string",
                    "found": "a whole number",
                },
                {
                    "path": "timestamp",
                    "expected": "a whole number of 64 bits or a string of digits",
                    "found": "a string",
                },
            ],
            "duplicateOf": null,
            "origin": "webhook",
            "idInstance": 1_101_000_002,
            "typeInstance": null,
            "typeWebhook": "stateInstanceChanged",
            "typeMessage": null,
            "idMessage": null,
            "chatId": null,
            "sender": null,
            "timestamp": null,
            "body": body,
        })
    );
}

#[tokio::test]
async fn malformed_event_has_its_reason_and_the_fields_that_could_be_read() {
    let body = json!({
        "typeWebhook": "stateInstanceChanged",
        "instanceData": { "idInstance": "first", "typeInstance": "v3" },
        "timestamp": "soon",
    });
    let event = event_of(body.to_string()).await;
    assert_eq!(event["outcome"], "malformed");
    assert!(!event["reason"].as_str().unwrap().is_empty());
    assert_eq!(event["drift"], json!([]));
    assert_eq!(event["typeWebhook"], "stateInstanceChanged");
    assert_eq!(event["typeInstance"], "v3");
    assert_eq!(event["idInstance"], json!(null));
    assert_eq!(event["body"], body);
}

#[tokio::test]
async fn numbers_and_identifiers_are_normalized_to_one_type() {
    let event = event_of(
        r#"{
            "typeWebhook": "outgoingMessageStatus",
            "instanceData": { "idInstance": "1101000003", "wid": "", "typeInstance": "v3" },
            "timestamp": "1767225600",
            "chatId": -10000000,
            "idMessage": 123456789012345678901,
            "status": "sent"
        }"#,
    )
    .await;
    assert_eq!(event["outcome"], "known");
    assert_eq!(event["idInstance"], 1_101_000_003);
    assert_eq!(event["timestamp"], 1_767_225_600);
    assert_eq!(event["chatId"], "-10000000");
    assert_eq!(event["idMessage"], "123456789012345678901");
    // The body itself is unchanged.
    assert_eq!(event["body"]["timestamp"], "1767225600");
}

#[tokio::test]
async fn times_have_milliseconds_and_a_duplicate_moves_only_last_received_at() {
    let server = TestServer::start().await;
    server.pass(7);
    post(server.public, r#"{"typeWebhook":"tick"}"#).await;
    server.pass(61_000);
    post(server.public, r#"{"typeWebhook":"tick"}"#).await;
    let event = get(server.private, "/api/v1/events/1").await.json();
    assert_eq!(event["receivedAt"], "2026-01-01T00:00:00.007Z");
    assert_eq!(event["lastReceivedAt"], "2026-01-01T00:01:01.007Z");
    assert_eq!(event["deliveries"], 2);
    assert_eq!(
        list(server.private, "/api/v1/events").await.json()["data"],
        json!([without_body(event)])
    );
}

fn without_body(mut event: Value) -> Value {
    assert!(event.as_object_mut().unwrap().remove("body").is_some());
    event
}

#[tokio::test]
async fn list_has_bodies_only_with_body_true() {
    let server = TestServer::start().await;
    post(server.public, r#"{"typeWebhook":"tick"}"#).await;
    let event = get(server.private, "/api/v1/events/1").await.json();
    let bare = json!([without_body(event.clone())]);
    for (path, data) in [
        ("/api/v1/events", &bare),
        ("/api/v1/events?body=false", &bare),
        ("/api/v1/events?after=0", &bare),
        ("/api/v1/events?body=true", &json!([event])),
        ("/api/v1/events?after=0&body=true", &json!([event])),
    ] {
        assert_eq!(list(server.private, path).await.json()["data"], *data);
    }
}

#[tokio::test]
async fn json_body_is_returned_as_it_was_written() {
    let written =
        r#"{ "typeWebhook":"tick",  "b": 1.0, "a":12345678901234567890123, "e": "\u0041" }"#;
    let server = TestServer::start().await;
    post(server.public, written).await;
    for path in ["/api/v1/events/1", "/api/v1/events?body=true"] {
        let answer = get(server.private, path).await;
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(text.contains(&format!("\"body\":{written}")), "{text}");
    }
}

#[tokio::test]
async fn json_that_is_not_a_notification_is_returned_as_json() {
    for (body, value) in [
        ("5", json!(5)),
        ("null", json!(null)),
        (r#""hello""#, json!("hello")),
        (" [1, 2] ", json!([1, 2])),
        ("{}", json!({})),
        (
            r#"{"typeWebhook": "deviceInfo"}"#,
            json!({ "typeWebhook": "deviceInfo" }),
        ),
    ] {
        let event = event_of(body).await;
        assert_eq!(event["outcome"], "malformed", "{body}");
        // The member is present even if its value is null.
        assert_eq!(event.as_object().unwrap().get("body"), Some(&value));
    }
}

#[tokio::test]
async fn body_that_is_not_json_is_returned_as_text() {
    let deep = format!(
        r#"{{"typeWebhook":"tick","deep":{}{}}}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    for (body, text) in [
        (&b""[..], ""),
        (b"hello \"there\"\n", "hello \"there\"\n"),
        (b"{\"typeWebhook\":", "{\"typeWebhook\":"),
        (b"\0\x01", "\0\u{1}"),
        (b"a\xff\xfeb", "a\u{fffd}\u{fffd}b"),
        (
            b"{\"typeWebhook\":\"\xff\"}",
            "{\"typeWebhook\":\"\u{fffd}\"}",
        ),
        (deep.as_bytes(), &deep),
    ] {
        assert_eq!(
            shown(body).await,
            (json!(text), "malformed".to_owned()),
            "{text}"
        );
    }
}

#[tokio::test]
async fn raw_body_is_returned_byte_for_byte() {
    let server = TestServer::start().await;
    let mut seq = 0;
    for (body, content_type) in [
        (
            &b" {\"typeWebhook\" : \"tick\"}\r\n"[..],
            "application/json",
        ),
        (
            br#"{"typeWebhook":"statusInstanceChanged","instanceData":{"idInstance":1},"statusInstance":"online"}"#,
            "application/json",
        ),
        (b"a\0\xff\xfeb", "application/octet-stream"),
        (b"<html>", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ] {
        seq += 1;
        assert_eq!(post(server.public, body).await.json()["seq"], seq);
        let answer = get(server.private, &format!("/api/v1/events/{seq}/body")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(&answer.body[..], body);
        assert_eq!(answer.header("content-type"), content_type);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn missing_seq_is_a_404_and_an_invalid_seq_a_400() {
    let server = TestServer::start().await;
    post(server.public, r#"{"typeWebhook":"tick"}"#).await;
    for seq in ["0", "2", "-1", "9223372036854775807"] {
        for end in ["", "/body"] {
            let (status, code, _) =
                refused(server.private, &format!("/api/v1/events/{seq}{end}")).await;
            assert_eq!((status, &*code), (404, "not-found"), "{seq}{end}");
        }
    }
    for seq in ["x", "1.0", "0x1", "%20", "9223372036854775808", "%ff"] {
        for end in ["", "/body"] {
            let (status, code, detail) =
                refused(server.private, &format!("/api/v1/events/{seq}{end}")).await;
            assert_eq!((status, &*code), (400, "bad-parameter"), "{seq}{end}");
            assert!(detail.as_str().unwrap().contains("`seq`"), "{detail}");
        }
    }
}

#[tokio::test]
async fn parameter_on_a_single_event_is_refused_with_400() {
    let server = TestServer::start().await;
    post(server.public, r#"{"typeWebhook":"tick"}"#).await;
    for path in ["/api/v1/events/1", "/api/v1/events/1/body"] {
        let (status, code, detail) = refused(server.private, &format!("{path}?body=true")).await;
        assert_eq!((status, &*code), (400, "bad-parameter"));
        assert!(detail.as_str().unwrap().contains("`body`"), "{detail}");
    }
}
