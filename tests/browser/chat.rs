//! One conversation.

use serde_json::json;

use crate::Browser;
use crate::support::{TestServer, post};
use crate::texts::{CHAT, incoming, sent, status};

#[tokio::test]
#[ignore = "needs chromium"]
async fn ticks_go_from_sent_to_read_in_place() {
    let server = TestServer::start().await;
    post(server.public, incoming("A1", "Do you deliver?")).await;
    post(server.public, sent("B1", "Yes")).await;
    post(server.public, status("B1", "sent")).await;
    let browser = Browser::open(server.private).await;
    browser.go(CHAT).await;
    browser.wait_for_live().await;
    browser
        .wait("document.querySelectorAll('.bubble').length === 2")
        .await;
    browser
        .wait("document.querySelector('[data-id=B1] .ticks').textContent === '✓ sent'")
        .await;
    post(server.public, status("B1", "read")).await;
    browser
        .wait("document.querySelector('[data-id=B1] .ticks').textContent === '✓✓ read'")
        .await;
    post(server.public, incoming("A2", "Thanks")).await;
    browser
        .wait("document.querySelectorAll('.bubble').length === 3")
        .await;
    let order = browser.run(
        "return [...document.querySelectorAll('.bubble')].map((one) => one.dataset.id).join();",
    );
    assert_eq!(order.await, "A1,B1,A2");
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn reaction_and_deletion_change_the_bubble() {
    let server = TestServer::start().await;
    post(server.public, incoming("A1", "Hello")).await;
    let browser = Browser::open(server.private).await;
    browser.go(CHAT).await;
    browser.wait_for_live().await;
    let mut change: serde_json::Value = serde_json::from_str(&incoming("R1", "")).unwrap();
    change["messageData"] = json!({ "typeMessage": "reactionMessage",
        "extendedTextMessageData": { "text": "👍" }, "quotedMessage": { "stanzaId": "A1" } });
    post(server.public, change.to_string()).await;
    browser
        .wait("document.querySelector('[data-id=A1] .reactions')?.textContent === '👍'")
        .await;
    change["idMessage"] = "D1".into();
    change["messageData"] =
        json!({ "typeMessage": "deletedMessage", "deletedMessageData": { "stanzaId": "A1" } });
    post(server.public, change.to_string()).await;
    browser
        .wait("document.querySelector('[data-id=A1]').classList.contains('deleted')")
        .await;
    assert_eq!(
        browser
            .run("return document.querySelectorAll('.bubble').length;")
            .await,
        1
    );
    browser.errors().await;
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn search_in_the_chat_finds_its_messages_only() {
    let server = TestServer::start().await;
    post(server.public, incoming("A1", "fresh bread")).await;
    post(server.public, incoming("A2", "nothing")).await;
    let browser = Browser::open(server.private).await;
    browser.go(&format!("{CHAT}?q=bread")).await;
    browser
        .wait("document.querySelectorAll('.bubble').length === 1")
        .await;
    browser
        .wait("document.getElementById('note').textContent === 'Found: 1'")
        .await;
    browser.close().await;
}
