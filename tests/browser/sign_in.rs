//! Sign-in, wrong token, sign-out.

use green_inbox::config::Token;

use crate::Browser;
use crate::support::{TestServer, post};
use crate::texts::incoming;

async fn guarded() -> TestServer {
    TestServer::with(|config| config.private.tokens = vec![Token::new("reader")]).await
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn wrong_token_is_refused_and_the_right_one_leads_to_the_link() {
    let server = guarded().await;
    post(server.public, incoming("A1", "Hello")).await;
    let browser = Browser::open(server.private).await;
    browser.go("/events/1").await;
    browser.enter("#token", "wrong\u{e007}").await;
    browser
        .wait("document.getElementById('wrong') !== null")
        .await;
    // The browser reports the 401.
    browser.errors().await;
    browser.enter("#token", "reader\u{e007}").await;
    browser.wait("location.pathname === '/events/1'").await;
    browser
        .wait("document.getElementById('summary').textContent === 'Ivan: Hello'")
        .await;
    assert_eq!(
        browser
            .run("return document.cookie.includes('session');")
            .await,
        false
    );
    browser.go("/").await;
    browser.wait_for_live().await;
    browser.click("#sign-out").await;
    browser.wait("location.pathname === '/sign-in'").await;
    browser.go("/").await;
    browser.wait("location.pathname === '/sign-in'").await;
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn token_in_the_fragment_signs_in_and_leaves_the_address() {
    let server = guarded().await;
    let browser = Browser::open(server.private).await;
    browser.go("/sign-in#reader").await;
    browser
        .wait("location.pathname === '/' && location.hash === ''")
        .await;
    browser.wait_for_live().await;
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn link_from_another_site_opens_with_the_session() {
    let server = guarded().await;
    post(server.public, incoming("A1", "Hello")).await;
    let browser = Browser::open(server.private).await;
    browser.go("/sign-in#reader").await;
    browser.wait_for_live().await;
    browser
        .foreign(&format!(
            "<a id=link href='http://{}/events/1'>link</a>",
            server.private
        ))
        .await;
    browser.click("#link").await;
    browser
        .wait("document.getElementById('summary')?.textContent === 'Ivan: Hello'")
        .await;
    browser.errors().await;
    browser.close().await;
}
