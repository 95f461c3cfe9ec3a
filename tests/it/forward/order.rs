//! Order: a later event of a chat waits for the earlier one, and other chats go on.

use green_inbox::config::ForwardOrder;

use super::{id, ids, say, status, to};
use crate::support::said::CHAT;
use crate::support::{Sink, TestServer};

const OTHER: &str = "79001112233@c.us";

#[tokio::test]
async fn blocked_chat_waits_in_order_while_another_goes_on() {
    let sink = Sink::start().await;
    sink.answer(500, "");
    let server = TestServer::with(to(&sink, |_| {})).await;
    say(&server, CHAT, "A0").await;
    sink.wait_for_number(1).await;
    status(&server, |status| status["waiting"] == 1).await;
    sink.answer(200, "");
    // More than fit into memory.
    for number in 1..=300 {
        say(&server, CHAT, &format!("A{number}")).await;
    }
    say(&server, OTHER, "B1").await;
    sink.wait_for(|got| id(got) == "B1").await;
    assert_eq!(ids(&sink), ["A0", "B1"]);
    status(&server, |status| {
        status["waiting"] == 301 && status["position"] == 302
    })
    .await;
    server.pass(6_000);
    sink.wait_for_number(303).await;
    let of_chat: Vec<_> = ids(&sink).into_iter().skip(2).collect();
    let expected: Vec<_> = (0..=300).map(|number| format!("A{number}")).collect();
    assert_eq!(of_chat, expected);
    status(&server, |status| status["waiting"] == 0).await;
    server.stop().await;
}

#[tokio::test]
async fn blocked_chat_keeps_its_order_across_a_restart() {
    let sink = Sink::start().await;
    sink.answer(500, "");
    let server = TestServer::with(to(&sink, |_| {})).await;
    for number in 0..100 {
        say(&server, CHAT, &format!("A{number}")).await;
    }
    sink.wait_for_number(1).await;
    status(&server, |status| status["waiting"] == 100).await;
    sink.answer(200, "");
    let folder = server.stop().await;
    let server = TestServer::later(folder, 6_000, to(&sink, |_| {})).await;
    say(&server, CHAT, "A100").await;
    sink.wait_for_number(102).await;
    let expected: Vec<_> = (0..=100).map(|number| format!("A{number}")).collect();
    assert_eq!(ids(&sink)[1..], expected);
    server.stop().await;
}

#[tokio::test]
async fn without_order_no_event_waits_for_another() {
    let sink = Sink::start().await;
    sink.answer(500, "");
    let order = ForwardOrder::None;
    let server = TestServer::with(to(&sink, |forward| forward.order = order)).await;
    say(&server, CHAT, "A0").await;
    status(&server, |status| status["waiting"] == 1).await;
    sink.answer(200, "");
    say(&server, CHAT, "A1").await;
    sink.wait_for(|got| id(got) == "A1").await;
    status(&server, |status| status["waiting"] == 1).await;
    server.stop().await;
}
