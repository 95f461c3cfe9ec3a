//! What the views show that the server renders.

use green_inbox::config::{Account, ApiToken, Receive, SecretUrl};
use hyper::Method;
use serde_json::json;

use super::html;
use super::routes::message;
use crate::support::green_api::{API_TOKEN, INSTANCE};
use crate::support::{GreenApi, TestServer, get, next_look, post, request};

#[tokio::test]
async fn event_shows_its_fields_its_body_and_the_events_of_its_message() {
    let server = TestServer::start().await;
    post(server.public, message("A1", "Hello  <b>world</b>")).await;
    let status = |name: &str| {
        json!({ "typeWebhook": "outgoingMessageStatus", "instanceData": { "idInstance": 1_101_000_001 },
            "timestamp": 1_767_225_591, "chatId": "79990000001@c.us", "idMessage": "A1", "status": name })
    };
    post(server.public, status("sent").to_string()).await;
    post(server.public, status("read").to_string()).await;
    let page = html(&server, "/events/1", &[]).await;
    for part in [
        "<h1>Event 1 <span class=\"outcome known\">known</span></h1>",
        "Hello  &#60;b&#62;world&#60;/b&#62;",
        "href=\"/chats/1101000001/79990000001%40c.us\"",
        "<a href=\"/events/3\">3</a> read",
        "data-webhook=\"http://127.0.0.1:",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
}

#[tokio::test]
async fn malformed_event_shows_its_reason_and_its_bytes() {
    let server = TestServer::start().await;
    post(server.public, &b"{\"typeWebhook\": \xff"[..]).await;
    let page = html(&server, "/events/1", &[]).await;
    assert!(page.contains("Why it is malformed"), "{page}");
    assert!(page.contains("not valid UTF-8"), "{page}");
    assert!(page.contains("outcome malformed"), "{page}");
}

#[tokio::test]
async fn long_body_is_cut_and_linked() {
    let server = TestServer::start().await;
    post(server.public, message("A1", &"long ".repeat(100_000))).await;
    let page = html(&server, "/events/1", &[]).await;
    assert!(page.contains("Only the beginning is shown.") && page.len() < 400_000);
    assert!(page.contains("/api/v1/events/1/body"));
}

#[tokio::test]
async fn instance_shows_its_state_and_the_notifications_of_the_last_day() {
    let server = TestServer::start().await;
    let state = json!({ "typeWebhook": "stateInstanceChanged",
        "instanceData": { "idInstance": 1_101_000_001, "typeInstance": "whatsapp" },
        "timestamp": 1_767_225_000, "stateInstance": "notAuthorized" });
    post(server.public, message("A0", "yesterday")).await;
    server.pass(25 * 3_600_000);
    post(server.public, state.to_string()).await;
    for number in 1..=3 {
        if number < 3 {
            server.pass(3_600_000);
        }
        post(server.public, message(&format!("A{number}"), "Hello")).await;
    }
    let page = html(&server, "/instances", &[]).await;
    for part in [
        "<span class=\"state bad\" dir=\"auto\">not authorized</span>",
        "<strong class=\"number\">4</strong>",
        "<span class=\"number\">2</span>",
        "href=\"/events/5\"",
        "href=\"/?instance=1101000001\"",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
}

/// A server with the account of the stand-in.
async fn with_account(green_api: &GreenApi, receive: Receive) -> TestServer {
    TestServer::with(|config| {
        config.accounts = vec![Account {
            id_instance: INSTANCE,
            api_token: Some(ApiToken::new(API_TOKEN)),
            api_url: Some(SecretUrl::new(&green_api.url())),
            receive,
            ..Account::default()
        }];
    })
    .await
}

#[tokio::test]
async fn configured_account_shows_its_queue() {
    let green_api = GreenApi::start().await;
    for _ in 0..3 {
        green_api.push("{}");
    }
    let server = with_account(&green_api, Receive::Webhook).await;
    post(server.public, message("A1", "Hello")).await;
    while get(server.private, "/api/v1/accounts").await.json()["data"][0]["checkedAt"].is_null() {
        next_look().await;
    }
    let page = html(&server, "/instances", &[]).await;
    let part = "Queue at GREEN-API: <strong class=\"number\">3</strong>";
    assert!(page.contains(part), "{page}");
}

#[tokio::test]
async fn event_shows_how_it_came() {
    let green_api = GreenApi::start().await;
    green_api.push(&message("A1", "Hello"));
    let server = with_account(&green_api, Receive::Pull).await;
    green_api.wait_until_drained().await;
    post(server.public, message("A2", "Hello")).await;
    for (path, part) in [
        ("/events/1", "<dd>fetched from GREEN-API’s queue</dd>"),
        ("/events/2", "<dd>posted to the webhook</dd>"),
    ] {
        let page = html(&server, path, &[]).await;
        assert!(page.contains(part), "no {part} in {page}");
    }
}

#[tokio::test]
async fn health_has_the_command_that_explains_each_refusal() {
    let server = TestServer::start().await;
    let headers = [("authorization", "Bearer swordfish")];
    request(server.public, Method::POST, "/webhook", &headers, "{}").await;
    let page = html(&server, "/health", &[]).await;
    for part in [
        "<div data-reason=\"wrong-token\" hidden>",
        "green-inbox explain --peer 127.0.0.1 --authorization &#39;Bearer …&#39;</pre>",
        "green-inbox explain --peer ADDRESS</pre>",
        "<code>ingest.body_limit_bytes</code>",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    assert!(!page.contains("swordfish"));
}

#[tokio::test]
async fn alerts_are_in_the_language_of_the_reader() {
    let server = TestServer::start().await;
    let state = json!({ "typeWebhook": "stateInstanceChanged",
        "instanceData": { "idInstance": INSTANCE, "typeInstance": "whatsapp" },
        "timestamp": 1_767_225_600, "stateInstance": "notAuthorized" });
    post(server.public, state.to_string()).await;
    while get(server.private, "/api/v1/alerts").await.json()["data"][0].is_null() {
        server.pass(1_000);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    for (language, part) in [
        (
            "ru",
            "<strong>1101000001: инстанс не авторизован</strong><br>Войдите снова",
        ),
        (
            "en",
            "<strong>1101000001: the instance is logged out</strong><br>Log in again",
        ),
    ] {
        let page = html(&server, "/instances", &[("accept-language", language)]).await;
        assert!(page.contains(part), "no {part} in {page}");
    }
}
