//! A backlog that outgrows memory: nothing of it is dropped, and no other destination is later for it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use green_inbox::config::Forward;
use tokio::time::{Instant, sleep};

use super::{MINUTE, status, to};
use crate::support::process::PATIENCE;
use crate::support::said::{self, NOON};
use crate::support::{Connection, Sink, TestServer, get};

/// Steps of the driven day.
const HOURS: usize = 25;

/// Events of each step: one of each chat. A queue has room for 256 events in memory, and for 1,024 changes.
const CHATS: usize = 55;

/// Time for what is due before the driven clock moves on.
const PAUSE: Duration = Duration::from_millis(20);

fn chat(number: usize) -> String {
    format!("7900000{number:04}@c.us")
}

/// The numbers of the events of each chat, in the order of their first delivery.
fn first_deliveries(sink: &Sink) -> BTreeMap<String, Vec<usize>> {
    let mut seen = BTreeSet::new();
    let mut chats: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for request in sink.received() {
        let body = request.json();
        let id = body["idMessage"].as_str().unwrap().to_owned();
        let chat = body["senderData"]["chatId"].as_str().unwrap().to_owned();
        if seen.insert(id.clone()) {
            let (_, hour) = id.split_once('-').unwrap();
            chats.entry(chat).or_default().push(hour.parse().unwrap());
        }
    }
    chats
}

#[tokio::test]
async fn destination_that_is_down_for_a_day_gets_everything_in_order_and_delays_no_other() {
    let (down, up) = (Sink::start().await, Sink::start().await);
    down.answer(503, "");
    let server = TestServer::with(|config| {
        to(&down, |_| {})(config);
        config.forward.push(Forward::new("up", &up.url("/")));
    })
    .await;
    let mut connection = Connection::open(server.public).await.unwrap();
    for hour in 0..HOURS {
        for number in 0..CHATS {
            let text = said::text(&format!("A{number}-{hour}"), NOON, "Good morning");
            let body = said::within(&chat(number), text).to_string();
            let answer = connection.post(body.into()).await.unwrap();
            assert_eq!(answer.status, 200);
        }
        // Before the clock moves on, so it got each event at the time at which the event was stored.
        up.wait_for_number((hour + 1) * CHATS).await;
        server.pass(60 * MINUTE);
    }
    status(&server, |status| {
        status["backlogSeconds"].as_f64().unwrap() > 23.0 * 3600.0
    })
    .await;
    let listed = get(server.private, "/api/v1/forward").await.json();
    assert_eq!(listed["data"][1]["failingSince"], serde_json::Value::Null);
    let failed = down.number();
    down.answer(200, "");
    let all = HOURS * CHATS;
    let deadline = Instant::now() + 4 * PATIENCE;
    while down.number() < failed + all {
        assert!(
            Instant::now() < deadline,
            "{} of {all}",
            down.number() - failed
        );
        // What had failed comes on its own schedule.
        server.pass(60 * MINUTE);
        sleep(PAUSE).await;
    }
    let hours: Vec<_> = (0..HOURS).collect();
    for sink in [&down, &up] {
        let delivered = first_deliveries(sink);
        assert_eq!(delivered.len(), CHATS);
        for (chat, found) in delivered {
            assert_eq!(found, hours, "{chat}");
        }
    }
    let listed = get(server.private, "/api/v1/forward").await.json();
    assert_eq!(listed["data"][0]["dead"], 0, "{listed:#}");
    server.stop().await;
}
