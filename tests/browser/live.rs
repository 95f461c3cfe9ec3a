//! The live list.

use hyper::Method;

use crate::Browser;
use crate::support::{TestServer, post, request};
use crate::texts::{incoming, status};

#[tokio::test]
#[ignore = "needs chromium"]
async fn notification_appears_without_a_reload() {
    let server = TestServer::start().await;
    let browser = Browser::open(server.private).await;
    browser.go("/").await;
    browser.wait_for_live().await;
    browser.run("window.isSamePage = true;").await;
    post(server.public, incoming("A1", "Hello")).await;
    // No event name is known to the browser in advance.
    post(server.public, r#"{"typeWebhook":"tomorrow's type"}"#).await;
    post(server.public, "{").await;
    browser
        .wait("document.querySelectorAll('.row').length === 3")
        .await;
    browser
        .wait("document.querySelector('#rows').innerText.includes('Ivan: Hello')")
        .await;
    browser
        .wait("document.querySelector('.row.malformed .what').textContent.length > 10")
        .await;
    assert_eq!(browser.run("return window.isSamePage;").await, true);
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn paused_or_scrolled_list_counts_what_is_new_and_does_not_move() {
    let server = TestServer::start().await;
    for number in 0..60 {
        post(server.public, incoming(&format!("A{number}"), "Hello")).await;
    }
    let browser = Browser::open(server.private).await;
    browser.go("/").await;
    browser.wait_for_live().await;
    browser.press("p").await;
    post(server.public, incoming("B1", "paused")).await;
    browser
        .wait("document.getElementById('new').textContent === 'New: 1'")
        .await;
    assert_eq!(
        browser
            .run("return document.querySelectorAll('.row').length;")
            .await,
        60
    );
    browser.press("p").await;
    browser
        .wait("document.querySelectorAll('.row').length === 61")
        .await;
    browser.run("scrollTo(0, 600);").await;
    browser.wait("scrollY > 500").await;
    let top = "return document.querySelectorAll('.row')[30].getBoundingClientRect().top;";
    let before = browser.run(top).await;
    for number in 2..5 {
        post(server.public, incoming(&format!("B{number}"), "scrolled")).await;
    }
    browser
        .wait("document.getElementById('new').textContent === 'New: 3'")
        .await;
    assert_eq!(browser.run(top).await, before);
    browser.click("#new").await;
    browser
        .wait("document.querySelectorAll('.row').length === 64 && scrollY === 0")
        .await;
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn filters_and_search_are_in_the_address() {
    let server = TestServer::start().await;
    post(server.public, incoming("A1", "fresh bread")).await;
    post(server.public, status("A9", "read")).await;
    post(server.public, "{").await;
    let browser = Browser::open(server.private).await;
    browser.go("/?outcome=malformed").await;
    browser
        .wait("document.querySelectorAll('.row').length === 1")
        .await;
    browser
        .wait("document.querySelector('select[name=outcome]').value === 'malformed'")
        .await;
    browser.go("/").await;
    browser
        .wait("document.querySelectorAll('.row').length === 3")
        .await;
    browser.press("/").await;
    browser.press("bread\u{e007}").await;
    browser.wait("location.search === '?q=bread'").await;
    browser
        .wait("document.querySelectorAll('.row').length === 1")
        .await;
    browser.go("/?type=outgoingMessageStatus").await;
    browser.wait_for_live().await;
    browser
        .wait("document.querySelectorAll('.row').length === 1")
        .await;
    post(server.public, incoming("A2", "filtered out")).await;
    post(server.public, status("A9", "delivered")).await;
    browser
        .wait("document.querySelectorAll('.row').length === 2")
        .await;
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn keys_move_through_the_rows_and_open_one() {
    let server = TestServer::start().await;
    for number in 1..=3 {
        post(server.public, incoming(&format!("A{number}"), "Hello")).await;
    }
    let browser = Browser::open(server.private).await;
    browser.go("/").await;
    browser.wait_for_live().await;
    browser.press("j").await;
    browser.press("j").await;
    // What arrives now does not take the focus away.
    post(server.public, incoming("A4", "Hello")).await;
    browser
        .wait("document.getElementById('new').textContent === 'New: 1'")
        .await;
    browser.press("\u{e007}").await;
    browser.wait("location.pathname === '/events/2'").await;
    browser.press("x").await;
    browser
        .wait("getComputedStyle(document.getElementById('body')).filter.includes('blur')")
        .await;
    browser.press("?").await;
    browser.wait("document.getElementById('help').open").await;
    browser.press("\u{e00c}").await;
    browser.wait("!document.getElementById('help').open").await;
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn live_view_resumes_after_a_restart_with_nothing_missing() {
    let server = TestServer::start().await;
    let browser = Browser::open(server.private).await;
    browser.go("/").await;
    browser.wait_for_live().await;
    post(server.public, incoming("A1", "Hello")).await;
    browser
        .wait("document.querySelectorAll('.row').length === 1")
        .await;
    let private = server.private;
    let folder = server.stop().await;
    browser
        .wait("document.getElementById('connection').dataset.state === 'lost'")
        .await;
    let server = TestServer::at(folder, |config| config.private.listen = private).await;
    for number in 2..=5 {
        post(server.public, incoming(&format!("A{number}"), "Hello")).await;
    }
    browser
        .wait("document.querySelectorAll('.row').length === 5")
        .await;
    browser.wait_for_live().await;
    // The requests that failed meanwhile.
    browser.errors().await;
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn list_holds_a_bounded_number_of_rows() {
    let server = TestServer::start().await;
    let browser = Browser::open(server.private).await;
    browser.go("/").await;
    browser.wait_for_live().await;
    // A view that is more than 500 events behind would skip some.
    for number in 0..1_200 {
        post(
            server.public,
            incoming(&format!("A{number}"), &format!("number {number}")),
        )
        .await;
        if number % 400 == 399 {
            browser
                .wait(&format!(
                    "document.querySelector('#rows .what')?.textContent === 'Ivan: number {number}'"
                ))
                .await;
        }
    }
    assert_eq!(
        browser
            .run("return document.querySelectorAll('.row').length;")
            .await,
        500
    );
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn page_speaks_the_language_of_the_browser_and_can_be_switched() {
    let server = TestServer::start().await;
    let browser = Browser::in_language(server.private, "ru-RU").await;
    browser.go("/").await;
    browser
        .wait("document.querySelector('h1').textContent === 'Что приходит'")
        .await;
    browser.click("#language").await;
    browser
        .wait("document.querySelector('h1').textContent === 'What arrives'")
        .await;
    browser.click("#theme").await;
    let theme = browser
        .run("return document.documentElement.dataset.theme;")
        .await;
    browser.go("/health").await;
    let kept = browser
        .run("return document.documentElement.dataset.theme;")
        .await;
    assert_eq!((kept, theme.is_string()), (theme, true));
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn health_shows_alerts_in_the_language_and_the_command_that_explains_a_refusal() {
    let server = TestServer::start().await;
    let headers = [("authorization", "Bearer swordfish")];
    request(server.public, Method::POST, "/webhook", &headers, "{}").await;
    request(server.public, Method::POST, "/webhook", &headers, "{}").await;
    let browser = Browser::in_language(server.private, "ru-RU").await;
    browser.go("/health").await;
    for text in [
        "запросы с разрешённого адреса отклоняются из-за токена: ",
        " (раз: 2)",
        "Задайте webhookUrlToken инстанса",
    ] {
        let shown = format!("document.getElementById('alerts').innerText.includes('{text}')");
        browser.wait(&shown).await;
    }
    browser
        .wait("document.querySelector('[data-reason=wrong-token]').innerText.includes('explain --peer 127.0.0.1')")
        .await;
    let hidden = "document.querySelector('[data-reason=no-token]').hidden";
    browser.wait(hidden).await;
    browser.close().await;
}
