//! The forward destinations: dead letters, sending again, a disabled destination.

use green_inbox::config::Forward;

use crate::Browser;
use crate::support::{Sink, TestServer, get, post};
use crate::texts::{CHAT, incoming};

/// A server with the destination `crm`, which gives an event up after its second attempt.
pub async fn server(sink: &Sink) -> TestServer {
    let mut forward = Forward::new("crm", &sink.url("/events"));
    forward.retry_seconds = vec![1];
    TestServer::with(|config| config.forward = vec![forward]).await
}

/// Waits until a field of the destination is as expected.
async fn wait(server: &TestServer, field: &str, expected: serde_json::Value) {
    let deadline = std::time::Instant::now() + crate::support::process::PATIENCE;
    loop {
        let listed = get(server.private, "/api/v1/forward").await.json();
        if listed["data"][0][field] == expected {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{listed:#}");
        tokio::task::yield_now().await;
    }
}

/// Makes the first event a dead letter.
pub async fn one_dead_letter(server: &TestServer, sink: &Sink) {
    sink.answer(500, "");
    post(server.public, incoming("A1", "Hello")).await;
    wait(server, "waiting", 1.into()).await;
    server.pass(2_000);
    wait(server, "dead", 1.into()).await;
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn dead_letter_is_listed_and_sent_again() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    one_dead_letter(&server, &sink).await;
    let browser = Browser::open(server.private).await;
    browser.go("/forward").await;
    browser
        .wait("document.querySelector('.dead a')?.getAttribute('href') === '/events/1'")
        .await;
    browser
        .wait("document.querySelector('[data-part=state]').textContent === 'attempts fail'")
        .await;
    browser
        .wait("document.querySelector('[data-part=problem-text]').textContent.includes('500')")
        .await;
    let sent = sink.received().len();
    sink.answer(200, "");
    browser.click("[data-part=send-dead]").await;
    browser
        .wait("document.querySelector('.said')?.textContent === 'Events queued: 1'")
        .await;
    sink.wait_for_number(sent + 1).await;
    wait(&server, "dead", 0.into()).await;
    browser.go("/forward").await;
    browser
        .wait("document.querySelector('[data-part=state]').textContent === 'delivering'")
        .await;
    browser
        .wait("!document.querySelector('[data-part=no-dead]').hidden")
        .await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn event_and_chat_are_sent_again_from_their_views_and_by_the_form() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    for id in ["A1", "A2"] {
        post(server.public, incoming(id, "Hello")).await;
    }
    sink.wait_for_number(2).await;
    wait(&server, "position", 2.into()).await;
    let browser = Browser::open(server.private).await;
    browser.go("/events/1").await;
    browser
        .wait("document.getElementById('summary').textContent !== ''")
        .await;
    browser.click("[data-resend=crm]").await;
    browser
        .wait("document.querySelector('.said')?.textContent === 'Events queued: 1'")
        .await;
    sink.wait_for_number(3).await;
    wait(&server, "waiting", 0.into()).await;
    browser.go(CHAT).await;
    browser.wait_for_live().await;
    browser.click("main > details summary").await;
    browser.click("[data-resend=crm]").await;
    browser
        .wait("document.querySelector('.said')?.textContent === 'Events queued: 2'")
        .await;
    sink.wait_for_number(5).await;
    wait(&server, "waiting", 0.into()).await;
    browser.go("/forward").await;
    browser.click("details summary").await;
    browser.enter("[name=seq]", " 2\u{e007}").await;
    browser
        .wait("document.querySelector('.said')?.textContent === 'Events queued: 1'")
        .await;
    sink.wait_for_number(6).await;
    browser.enter("[name=instance]", "1101000001").await;
    browser
        .enter("[name=chat]", "79990000001@c.us\u{e007}")
        .await;
    browser
        .wait("document.querySelectorAll('.said')[1]?.textContent.startsWith('Events queued: ')")
        .await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn disabled_destination_is_enabled_again() {
    let sink = Sink::start().await;
    let server = server(&sink).await;
    sink.answer(410, "");
    post(server.public, incoming("A1", "Hello")).await;
    wait(&server, "state", "disabled".into()).await;
    let browser = Browser::open(server.private).await;
    browser.go("/forward").await;
    browser.wait("document.querySelector('[data-part=state]').textContent === 'disabled: it answered 410'").await;
    sink.answer(200, "");
    browser.click("[data-part=enable]").await;
    browser
        .wait("document.querySelector('.said')?.textContent.startsWith('Enabled')")
        .await;
    wait(&server, "state", "running".into()).await;
    browser.close().await;
    server.stop().await;
}
