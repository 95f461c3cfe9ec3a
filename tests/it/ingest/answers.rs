//! Every documented response of the webhook: status, headers, problem code and side effects.

use hyper::{Method, StatusCode};
use serde_json::Value;

use super::{SMALL, bytes, event, events, notice, padded, post_with, small};
use crate::support::stored::received;
use crate::support::{Answer, TOKEN, TestServer, post, request};

/// Asserts that the notification was accepted and that the response body is exactly `body`.
fn assert_accepted(answer: &Answer, body: &str) {
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.body, body);
}

/// Asserts an RFC 9457 problem: five members, the status and its title, and the stable code.
fn assert_problem(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.code(), code);
    let problem = answer.json();
    assert_eq!(problem["type"], "about:blank");
    assert_eq!(problem["title"], status.canonical_reason().unwrap());
    assert_eq!(problem.as_object().unwrap().len(), 5, "{problem}");
}

#[tokio::test]
async fn known_notification_is_on_disk_when_acknowledged() {
    let server = TestServer::start().await;
    let answer = post(server.public, notice(1)).await;
    assert_accepted(&answer, r#"{"seq":1,"outcome":"known","repeated":false}"#);
    let answer = post(server.public, notice(2)).await;
    assert_accepted(&answer, r#"{"seq":2,"outcome":"known","repeated":false}"#);

    // Read through a separate connection, bypassing the server.
    let disk = rusqlite::Connection::open(&server.database).unwrap();
    let body = received(&disk, 1).unwrap();
    assert_eq!(body, Some(notice(1).into_bytes()));
}

#[tokio::test]
async fn duplicate_body_returns_the_first_seq() {
    let server = TestServer::start().await;
    post(server.public, notice(1)).await;
    post(server.public, notice(2)).await;
    let answer = post(server.public, notice(1)).await;
    assert_accepted(&answer, r#"{"seq":1,"outcome":"known","repeated":true}"#);
    assert_eq!(event(&server, 1).await["deliveries"], 2);
    assert_eq!(event(&server, 2).await["deliveries"], 1);
}

#[tokio::test]
async fn undocumented_type_is_stored_as_unknown() {
    let server = TestServer::start().await;
    for (seq, body) in [
        (1, r#"{"typeWebhook":"cupOfTeaPoured","sugar":2}"#),
        (
            2,
            r#"{"typeWebhook":"incomingMessageReceived","timestamp":1767225000,"idMessage":"0A1",
            "instanceData":{"idInstance":7105000001,"wid":"10000000001@c.us","typeInstance":"whatsapp"},
            "senderData":{"chatId":"10000000002@c.us","sender":"10000000002@c.us"},
            "messageData":{"typeMessage":"smokeSignal","smokeSignalData":{"puffs":3}}}"#,
        ),
    ] {
        let answer = post(server.public, body).await;
        let expected = format!(r#"{{"seq":{seq},"outcome":"unknown","repeated":false}}"#);
        assert_accepted(&answer, &expected);
        assert_eq!(bytes(&server, seq).await, body);
    }
    assert_eq!(event(&server, 2).await["typeMessage"], "smokeSignal");
}

#[tokio::test]
async fn malformed_body_is_stored_with_its_reason() {
    let server = TestServer::start().await;
    for (seq, body, reason) in [
        (1, "not at all", "expected an object"),
        (2, "[]", "expected an object, found an array"),
        (3, "{}", "typeWebhook: expected a string of 1 to 128 bytes"),
        (
            4,
            r#"{"typeWebhook":"incomingBlock"}"#,
            "instanceData: required, but missing",
        ),
    ] {
        let answer = post(server.public, body).await;
        let expected = format!(r#"{{"seq":{seq},"outcome":"malformed","repeated":false}}"#);
        assert_accepted(&answer, &expected);
        assert_eq!(event(&server, seq).await["reason"], reason);
        assert_eq!(bytes(&server, seq).await, body);
    }
}

#[tokio::test]
async fn ignored_types_are_acknowledged_and_not_stored() {
    let server = TestServer::with(|config| {
        config.ingest.ignored_types = vec![
            "stateInstanceChanged".to_owned(),
            "cupOfTeaPoured".to_owned(),
        ];
    })
    .await;
    for body in [
        notice(1),
        notice(1),
        // An unknown and a malformed body: the type name alone decides.
        r#"{"typeWebhook":"cupOfTeaPoured"}"#.to_owned(),
        r#"{"typeWebhook":"stateInstanceChanged"}"#.to_owned(),
    ] {
        assert_accepted(&post(server.public, body).await, r#"{"ignored":true}"#);
    }
    assert_eq!(events(&server).await, Vec::<Value>::new());

    for (seq, name) in [
        (1, "CupOfTeaPoured"),
        (2, "cupOfTea"),
        (3, "cupOfTeaPoured "),
    ] {
        let answer = post(server.public, format!(r#"{{"typeWebhook":"{name}"}}"#)).await;
        assert_eq!(answer.json()["seq"], seq, "{name}");
    }
}

#[tokio::test]
async fn source_outside_the_list_gets_403() {
    let server = TestServer::with(|config| {
        config.ingest.allowed_sources = vec!["192.0.2.0/24".parse().unwrap()];
    })
    .await;
    let answer = post(server.public, notice(1)).await;
    assert_problem(&answer, StatusCode::FORBIDDEN, "source-not-allowed");
    assert_eq!(events(&server).await, Vec::<Value>::new());
}

#[tokio::test]
async fn missing_or_wrong_token_gets_401() {
    let server = TestServer::start().await;
    for headers in [vec![], vec![("authorization", "Bearer open-barley")]] {
        let answer = post_with(server.public, &headers, notice(1)).await;
        assert_problem(&answer, StatusCode::UNAUTHORIZED, "unauthorized");
        assert_eq!(
            answer.header("www-authenticate"),
            r#"Bearer realm="webhook", Basic realm="webhook""#
        );
    }
    assert_eq!(events(&server).await, Vec::<Value>::new());
}

#[tokio::test]
async fn body_over_the_limit_gets_413() {
    let server = TestServer::with(small).await;
    let answer = post(server.public, padded(1, SMALL as usize + 1)).await;
    assert_problem(&answer, StatusCode::PAYLOAD_TOO_LARGE, "body-too-large");
    assert_eq!(events(&server).await, Vec::<Value>::new());
}

#[tokio::test]
async fn failed_commit_gets_503_and_stores_nothing() {
    let server = TestServer::start().await;
    let disk = rusqlite::Connection::open(&server.database).unwrap();
    disk.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    )
    .unwrap();
    let answer = post(server.public, notice(1)).await;
    assert_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    assert_eq!(answer.header("retry-after"), "60");
    assert!(!answer.json()["detail"].as_str().unwrap().contains("disk"));
    assert_eq!(events(&server).await, Vec::<Value>::new());

    disk.execute_batch("DROP TRIGGER full").unwrap();
    let answer = post(server.public, notice(1)).await;
    assert_accepted(&answer, r#"{"seq":1,"outcome":"known","repeated":false}"#);
}

#[tokio::test]
async fn other_methods_get_405_with_allow_post() {
    let server = TestServer::start().await;
    for path in ["/webhook", "/webhook/"] {
        for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let headers = [("authorization", TOKEN)];
            let answer = request(server.public, method, path, &headers, notice(1)).await;
            assert_problem(
                &answer,
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
            );
            assert_eq!(answer.header("allow"), "POST");
        }
        let answer = request(server.public, Method::HEAD, path, &[], "").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.header("allow"), "POST");
        assert!(answer.body.is_empty());
    }
    assert_eq!(events(&server).await, Vec::<Value>::new());
}

#[tokio::test]
async fn unknown_path_gets_404() {
    let server = TestServer::start().await;
    let headers = [("authorization", TOKEN)];
    let answer = request(server.public, Method::POST, "/hook", &headers, notice(1)).await;
    assert_problem(&answer, StatusCode::NOT_FOUND, "not-found");
}
