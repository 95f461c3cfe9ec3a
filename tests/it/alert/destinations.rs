//! What Telegram and GREEN-API get.

use green_inbox::config::{ChatId, Destination, GreenApi, SecretUrl, Telegram};
use serde_json::json;

use super::{MINUTE, knock, say, secret, with};
use crate::support::Sink;
use crate::support::next_look;

#[tokio::test]
async fn telegram_gets_one_plain_text_for_several_alerts() {
    let sink = Sink::start().await;
    let (_folder, bot_token_file) = secret("123:swordfish\n");
    let server = with(&sink, |config| {
        config.alerts.to = vec![Destination::Telegram(Telegram {
            bot_token_file,
            chat_id: ChatId::Number(-1_001_234),
            api_url: SecretUrl::new(&sink.url("/")),
        })];
    })
    .await;
    sink.answer(429, r#"{"ok":false,"parameters":{"retry_after":600}}"#);
    knock(&server).await;
    let request = sink.wait_for(|_| true).await;
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/bot123:swordfish/sendMessage")
    );
    let body = request.json();
    assert_eq!(body["chat_id"], -1_001_234);
    assert!(
        body.get("parse_mode").is_none(),
        "text from outside must not become markup"
    );
    let text = body["text"].as_str().unwrap();
    assert!(text.starts_with("[critical] token-rejected: "), "{text}");
    assert!(
        text.contains("24 h left until GREEN-API gives up"),
        "{text}"
    );
    assert!(text.contains("webhookUrlToken"), "{text}");
    say(&server, &json!({ "typeWebhook": "newKind" })).await;
    sink.answer(200, r#"{"ok":true}"#);
    // Telegram asked for 600 s, so the delay of the schedule is not enough.
    server.pass(9 * MINUTE);
    let listed = async || {
        crate::support::get(server.private, "/api/v1/alerts")
            .await
            .json()
    };
    while listed().await["data"].as_array().unwrap().len() < 2 {
        next_look().await;
    }
    assert_eq!(sink.received().len(), 1);
    server.pass(2 * MINUTE);
    let both = |request: &crate::support::sink::Received| {
        let body = String::from_utf8_lossy(&request.body);
        body.contains("token-rejected") && body.contains("unknown-type")
    };
    sink.wait_for(both).await;
    server.stop().await;
}

#[tokio::test]
async fn green_api_gets_a_send_message() {
    let sink = Sink::start().await;
    let (_folder, api_token_file) = secret("swordfish");
    let server = with(&sink, |config| {
        config.alerts.to = vec![Destination::GreenApi(GreenApi {
            id_instance: 1_101_000_009,
            api_token_file,
            chat_id: ChatId::Text("79001112233@c.us".to_owned()),
            api_url: SecretUrl::new(&sink.url("")),
        })];
    })
    .await;
    knock(&server).await;
    let request = sink.wait_for(|_| true).await;
    assert_eq!(request.method, "POST");
    assert_eq!(request.path, "/waInstance1101000009/sendMessage/swordfish");
    let mut body = request.json();
    let message = body.as_object_mut().unwrap().remove("message").unwrap();
    assert!(
        message.as_str().unwrap().contains("token-rejected"),
        "{message}"
    );
    assert_eq!(
        body,
        json!({ "chatId": "79001112233@c.us" }),
        "unknown fields are refused"
    );
    server.stop().await;
}
