//! axe-core finds no violation on any view, in both colours, wide and narrow, and nothing overflows. The variable
//! `AXE` names `axe.min.js`.

use std::fs;

use green_inbox::config::Token;

use crate::support::{Sink, TestServer, post};
use crate::texts::{CHAT, incoming, samples, sent, status};
use crate::{Browser, forward};

const CHECK: &str = "return await axe.run(document).then((found) => found.violations.map((one) =>
    `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`));";

async fn check(browser: &Browser, axe: &str, path: &str, wait: &str) -> Vec<String> {
    let mut all = Vec::new();
    for scheme in ["light", "dark"] {
        for width in [1280, 360] {
            browser.look(width, scheme).await;
            browser.go(path).await;
            browser.wait(wait).await;
            browser.run(&format!("{axe};\nwindow.axe = axe;")).await;
            let found = browser.run(CHECK).await;
            let found = found.as_array().unwrap().iter();
            all.extend(found.map(|one| format!("{path} {scheme} {width}: {one}")));
            let overflow = "return document.documentElement.scrollWidth > innerWidth;";
            assert_eq!(browser.run(overflow).await, false, "{path} {width}");
        }
    }
    all
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn axe_finds_no_violation_on_any_view() {
    let axe = std::env::var("AXE").expect("AXE names axe.min.js");
    let axe = fs::read_to_string(axe).unwrap();
    let sink = Sink::start().await;
    let server = forward::server(&sink).await;
    forward::one_dead_letter(&server, &sink).await;
    for body in samples() {
        post(server.public, body).await;
    }
    let mut count = 0;
    for body in [
        incoming("A1", "Hello"),
        sent("B1", "Yes"),
        status("B1", "read"),
        "{".to_owned(),
    ] {
        count = post(server.public, body).await.json()["seq"]
            .as_u64()
            .unwrap();
    }
    let browser = Browser::open(server.private).await;
    let live = "document.getElementById('connection')?.dataset.state === 'live' && document.querySelector('.row, .bubble')";
    let last = format!("/events/{count}");
    let summary = "document.getElementById('summary').textContent";
    let mut found = Vec::new();
    for (path, wait) in [
        ("/", live),
        ("/?outcome=malformed", live),
        (CHAT, live),
        ("/events/1", summary),
        (&last, summary),
        ("/events/9999", "true"),
        ("/instances", "document.querySelector('.card')"),
        ("/forward", "document.querySelector('.dead li')"),
        ("/health", "document.querySelector('.note.good')"),
    ] {
        found.extend(check(&browser, &axe, path, wait).await);
    }
    drop(browser);
    let server =
        TestServer::with(|config| config.private.tokens = vec![Token::new("reader")]).await;
    let browser = Browser::open(server.private).await;
    found.extend(check(&browser, &axe, "/sign-in", "true").await);
    assert_eq!(found, Vec::<String>::new());
}
