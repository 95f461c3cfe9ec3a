//! A live view that stays open: it holds as many rows and as much memory after a long time as after a short one.

use std::time::{Duration, Instant};

use tokio::time::interval;

use crate::Browser;
use crate::support::{TestServer, post};
use crate::texts::incoming;

/// Time between two events: 50,000 come in an hour.
const BETWEEN: Duration = Duration::from_millis(72);

/// Events before the first measurement, more than the list holds.
const FILLING: u32 = 700;

/// Events after which the filling waits for the list: a view far behind skips events, and its list would not be full.
const STEP: u32 = 100;

/// Seconds for which events come, unless `LIVE_VIEW_SECONDS` says otherwise.
const SECONDS: u64 = 30;

/// Bytes by which the heap may grow between the two measurements.
const HEAP_NOISE: u64 = 2 << 20;

/// Nodes by which the documents may grow: a row more or less in the midst of a change of the list.
const NODE_NOISE: u64 = 200;

#[tokio::test]
#[ignore = "needs chromium"]
async fn live_view_of_50_000_events_an_hour_stays_flat() {
    let seconds = std::env::var("LIVE_VIEW_SECONDS");
    let seconds = seconds.map_or(SECONDS, |seconds| seconds.parse().unwrap());
    let server = TestServer::start().await;
    let browser = Browser::open(server.private).await;
    browser.go("/").await;
    browser.wait_for_live().await;
    let say = async |number: u32| {
        let body = incoming(&format!("A{number}"), &format!("number {number}"));
        assert_eq!(post(server.public, body).await.status, 200);
    };
    let shown = async |number: u32| {
        let newest = format!(
            "document.querySelector('#rows .what')?.textContent === 'Ivan: number {number}'"
        );
        browser.wait(&newest).await;
    };
    for number in 0..FILLING {
        say(number).await;
        if (number + 1) % STEP == 0 {
            shown(number).await;
        }
    }
    browser
        .wait("document.getElementById('rows').childElementCount === 500")
        .await;
    let (begin, mut clock, mut number, mut early) =
        (Instant::now(), interval(BETWEEN), FILLING, None);
    while begin.elapsed() < Duration::from_secs(seconds) {
        clock.tick().await;
        say(number).await;
        number += 1;
        if early.is_none() && begin.elapsed() >= Duration::from_secs(seconds / 5) {
            shown(number - 1).await;
            early = Some(browser.memory().await);
        }
    }
    shown(number - 1).await;
    let (early, late) = (early.unwrap(), browser.memory().await);
    println!(
        "{} events in {seconds} s; nodes and bytes of heap after a fifth of the time: {early:?}, at the end: {late:?}",
        number - FILLING
    );
    assert!(late.0 <= early.0 + NODE_NOISE, "nodes: {early:?}, {late:?}");
    assert!(late.1 <= early.1 + HEAP_NOISE, "heap: {early:?}, {late:?}");
    browser.close().await;
}
