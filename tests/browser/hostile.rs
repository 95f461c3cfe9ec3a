//! Text from outside, in every field of every kind, does nothing.

use serde_json::{Value, json};

use crate::Browser;
use crate::support::{TestServer, post};
use crate::texts::samples;

const ATTACK: &str =
    "\"'><img src=/attack onerror=window.attacked=1><script>window.attacked=2</script>";

fn poison(value: &mut Value, key: &str) {
    match value {
        Value::String(text) if key == "downloadUrl" => {
            *text = "javascript:window.attacked=3".to_owned()
        }
        Value::String(text) if !["typeWebhook", "typeMessage", "chatId"].contains(&key) => {
            text.push_str(ATTACK);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| poison(item, key)),
        Value::Object(members) => members
            .iter_mut()
            .for_each(|(key, value)| poison(value, key)),
        _ => {}
    }
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn hostile_text_is_shown_and_not_run() {
    let server = TestServer::start().await;
    let browser = Browser::open(server.private).await;
    browser.go("/").await;
    browser.wait_for_live().await;
    let mut chats = Vec::new();
    for body in samples() {
        let mut body: Value = serde_json::from_slice(&body).unwrap();
        poison(&mut body, "");
        post(server.public, body.to_string()).await;
        if let Some(chat) = body["senderData"]["chatId"].as_str() {
            chats.push(chat.to_owned());
        }
    }
    let odd = json!({ "typeWebhook": ATTACK, "instanceData": { "idInstance": 1, "typeInstance": ATTACK },
        "messageData": { "typeMessage": ATTACK } });
    let last = post(server.public, odd.to_string()).await;
    let count = last.json()["seq"].as_u64().unwrap();
    browser
        .wait(&format!(
            "document.querySelector('.row')?.dataset.seq === '{count}'"
        ))
        .await;
    browser
        .wait("document.querySelector('.what').textContent.includes('<img')")
        .await;
    let inert = "return !window.attacked && !document.querySelector('main img:not([src^=\"data:\"]), main script, a[href^=\"javascript\"]');";
    assert_eq!(browser.run(inert).await, true);
    chats.sort();
    chats.dedup();
    let chats = chats.iter().map(|chat| {
        let chat: String = form_urlencoded::byte_serialize(chat.as_bytes()).collect();
        format!("/chats/1101000001/{chat}")
    });
    let events = (1..=count).step_by(7).map(|seq| format!("/events/{seq}"));
    let others = ["/instances", "/health"].map(str::to_owned);
    for path in chats.chain(events).chain(others) {
        browser.go(&path).await;
        browser
            .wait("document.getElementById('note')?.textContent !== 'Loading…' && document.getElementById('ready')?.textContent !== 'Loading…'")
            .await;
        assert_eq!(browser.run(inert).await, true, "{path}");
        assert_eq!(browser.errors().await, Vec::<String>::new(), "{path}");
    }
    browser.close().await;
}
