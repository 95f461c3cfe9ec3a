//! Forwarding by the node that has the lease: kills of that node, and one that is suspended past its lease. Every event
//! arrives, in order within its chat and with the same id from every node.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use hyper::{Method, StatusCode};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::duty::{LOOK, Pair, TAKEOVER, holds, takes_over};
use crate::postgres::Postgres;
use crate::proxy::Proxy;
use crate::rig::chats;
use crate::rig::destination::{AUTHORITY, Certificate, Mood, SECRET};
use crate::rig::{Destination, Random, alone, setting};
use crate::support::client::try_request;
use crate::support::get;

/// Notifications of each chat.
const EACH: u32 = 20;

/// Chats of each part of the load.
const CHATS: u32 = 20;

/// Attempts at the same time.
const CONCURRENCY: usize = 8;

/// Connections that post.
const CONNECTIONS: u32 = 4;

/// Time without a new delivery after which a test fails.
const STALLED: Duration = Duration::from_mins(2);

const POSITION: &str = "SELECT coalesce((SELECT seq FROM forward_position), 0)";

/// Settings with the destination. An event is given up only after 21 attempts, so none becomes a dead letter.
fn configure(folder: &Path, port: u16, retries: &str) {
    configure_with(folder, port, retries, 1);
}

fn configure_with(folder: &Path, port: u16, retries: &str, timeout: u32) {
    fs::create_dir(folder.join("config")).unwrap();
    fs::write(folder.join("authority.pem"), AUTHORITY).unwrap();
    fs::write(folder.join("secret"), SECRET).unwrap();
    let text = format!(
        "[[forward]]\nname = \"crm\"\nurl = \"https://localhost:{port}/events\"\nsecret_file = \"secret\"\n\
         ca_file = \"authority.pem\"\nstart = 1\ntimeout_seconds = {timeout}\nconcurrency = {CONCURRENCY}\n\
         retry_seconds = [{retries}]\n"
    );
    fs::write(folder.join("config/green-inbox.toml"), text).unwrap();
}

fn patient() -> String {
    ["1"; 20].join(", ")
}

/// Waits until a destination has taken as many notifications.
async fn reach(destination: &Destination, count: usize) {
    let mut last = (0, Instant::now());
    loop {
        let taken = destination.delivered().len();
        if taken >= count {
            return;
        }
        if taken > last.0 {
            last = (taken, Instant::now());
        }
        assert!(last.1.elapsed() < STALLED, "{taken} of {count} were taken");
        sleep(LOOK).await;
    }
}

/// Waits until a node says that everything is delivered.
async fn forwarded(pair: &Pair, node: usize) {
    let started = Instant::now();
    loop {
        let private = pair.node(node).private;
        let stats = get(private, "/api/v1/stats").await.json();
        let status = get(private, "/api/v1/forward").await.json()["data"][0].take();
        if status["position"] == stats["newestSeq"] && status["waiting"] == 0 {
            assert_eq!(
                (&status["dead"], &status["expired"]),
                (&0.into(), &0.into())
            );
            return;
        }
        assert!(started.elapsed() < STALLED, "{status:#}");
        sleep(LOOK).await;
    }
}

/// `CLUSTER_FORWARD_KILLS` sets the number of kills: 4 by default.
#[test]
fn events_are_forwarded_in_order_across_kills_of_the_holder() {
    alone(async {
        let kills = u32::try_from(setting("CLUSTER_FORWARD_KILLS", 4)).unwrap();
        let mut destination = Destination::new(Random::new("forwarded")).await;
        destination.open(Certificate::First).await;
        let port = destination.port;
        let mut pair = Pair::start(|folder, _| configure(folder, port, &patient()));
        let address = watch::Sender::new(pair.node(0).public);
        let mut takeovers = Vec::new();
        for kill in 0..kills {
            let part = kill * CHATS..(kill + 1) * CHATS;
            let sending = chats::send(&part, EACH, CONNECTIONS, &address.subscribe());
            let all = usize::try_from(part.start * EACH).unwrap();
            reach(
                &destination,
                all + usize::try_from(EACH * CHATS / 4).unwrap(),
            )
            .await;
            let holder = pair.holder("forward").await;
            let other = 1 - holder;
            pair.kill(holder);
            let killed = Instant::now();
            address.send_replace(pair.node(other).public);
            assert!(
                takes_over(pair.node(other), "forward", TAKEOVER).await,
                "the other node does not take over"
            );
            let before = destination.delivered().len();
            reach(&destination, before + 1).await;
            takeovers.push(killed.elapsed());
            pair.run(holder);
            sending.join_all().await;
            reach(&destination, usize::try_from(part.end * EACH).unwrap()).await;
        }
        let holder = pair.holder("forward").await;
        forwarded(&pair, holder).await;
        forwarded(&pair, 1 - holder).await;
        let delivered = destination.delivered();
        assert_eq!(delivered.wrong, [""; 0]);
        let sent = chats::all(0..kills * CHATS, EACH);
        assert!(delivered.missing(sent).is_empty());
        println!(
            "{kills} kills of the node that forwards: {} events, {} deliveries repeated, first delivery of the other node \
             after {takeovers:.1?}",
            delivered.len(),
            delivered.repeated
        );
        assert!(takeovers.iter().all(|took| *took < TAKEOVER));
    });
}

/// The control: if a lease did not expire, nobody would take it over.
#[test]
fn lease_that_does_not_expire_is_not_taken_over() {
    alone(async {
        let destination = Destination::new(Random::new("not taken over")).await;
        let port = destination.port;
        let mut pair = Pair::start(|folder, _| configure(folder, port, &patient()));
        let holder = pair.holder("forward").await;
        pair.kill(holder);
        let client = pair.postgres.connect().await;
        let endless = "UPDATE lease SET expires_at = 'infinity' WHERE name = 'forward'";
        client.execute(endless, &[]).await.unwrap();
        let other = pair.node(1 - holder);
        assert!(!takes_over(other, "forward", TAKEOVER).await);
        let free = "UPDATE lease SET expires_at = now() WHERE name = 'forward'";
        client.execute(free, &[]).await.unwrap();
        assert!(takes_over(other, "forward", TAKEOVER).await);
    });
}

/// Each node has a destination of its own, so that the test sees who sends.
#[test]
fn holder_that_was_suspended_past_its_lease_sends_nothing_more() {
    alone(async {
        let mut destinations = [
            Destination::new(Random::new("suspended one")).await,
            Destination::new(Random::new("suspended two")).await,
        ];
        for destination in &mut destinations {
            destination.open(Certificate::First).await;
            destination.set(Mood::Good);
        }
        let ports = destinations.each_ref().map(|one| one.port);
        let postgres = Postgres::start();
        let address = postgres.host().parse().unwrap();
        let ways = [Proxy::to(address).await, Proxy::to(address).await];
        let urls = ways.each_ref().map(|way| {
            let url = postgres.url();
            url.replace(&postgres.host(), &way.address.to_string())
        });
        let pair = Pair::through(postgres, urls, |folder, index| {
            configure_with(folder, ports[index], &patient(), 60);
        });
        let holder = pair.holder("forward").await;
        let other = 1 - holder;
        let address = watch::Sender::new(pair.node(other).public);
        let all = usize::try_from(CHATS * EACH).unwrap();
        // The first events are held, and the others wait in memory.
        destinations[holder].set(Mood::Holding);
        let sending = chats::send(&(0..CHATS), EACH, CONNECTIONS, &address.subscribe());
        sending.join_all().await;
        let started = Instant::now();
        let newest = async |node: usize| {
            let stats = get(pair.node(node).private, "/api/v1/stats").await.json();
            stats["newestSeq"] == all
        };
        while destinations[holder].held().len() < CONCURRENCY || !newest(holder).await {
            assert!(started.elapsed() < STALLED, "the holder sends nothing");
            sleep(LOOK).await;
        }
        // It hears nothing from PostgreSQL when it wakes up: its own clock must tell it.
        ways[holder].cut(true);
        pair.node(holder).signal("STOP");
        let stopped = Instant::now();
        // So that the attempts end when it wakes up, and others could begin at once.
        destinations[holder].set(Mood::Good);
        destinations[holder].open(Certificate::First).await;
        assert!(takes_over(pair.node(other), "forward", TAKEOVER).await);
        reach(&destinations[other], all / 2).await;
        let took = stopped.elapsed();

        let client = pair.postgres.connect().await;
        let before: i64 = client.query_one(POSITION, &[]).await.unwrap().get(0);
        let asked = destinations[holder].delivered().greatest;
        let held = destinations[holder].held().len();
        pair.node(holder).signal("CONT");
        let status = async || {
            let listed = get(pair.node(holder).private, "/api/v1/forward").await;
            listed.json()["data"][0].take()
        };
        let said = Instant::now();
        while status().await["state"] != "elsewhere" {
            assert!(said.elapsed() < STALLED, "{:#}", status().await);
            sleep(LOOK).await;
        }
        ways[holder].cut(false);
        let more = chats::send(&(CHATS..CHATS * 2), EACH, CONNECTIONS, &address.subscribe());
        let mut last = before;
        let mut newest = 0;
        while newest < all * 2 {
            let now: i64 = client.query_one(POSITION, &[]).await.unwrap().get(0);
            assert!(now >= last, "the position went back from {last} to {now}");
            last = now;
            newest = destinations[other].delivered().len();
            assert!(started.elapsed() < STALLED * 2, "{newest} of {}", all * 2);
            sleep(LOOK).await;
        }
        more.join_all().await;
        while status().await["node"] != ["one", "two"][other] {
            assert!(said.elapsed() < STALLED, "{:#}", status().await);
            sleep(LOOK).await;
        }
        forwarded(&pair, other).await;
        let after = destinations[holder].delivered();
        assert_eq!(after.len(), 0, "the holder that woke up has sent events");
        assert_eq!(after.greatest, asked);
        drop(after);
        assert_eq!(destinations[holder].held().len(), held);
        let delivered = destinations[other].delivered();
        assert_eq!(delivered.wrong, [""; 0]);
        assert!(delivered.missing(chats::all(0..CHATS * 2, EACH)).is_empty());
        println!(
            "the other node delivered half of the events {took:.1?} after the holder was suspended"
        );
    });
}

/// What an earlier holder still saves is refused by PostgreSQL.
#[test]
fn save_of_an_earlier_term_changes_nothing() {
    alone(async {
        let destination = Destination::new(Random::new("fenced")).await;
        let port = destination.port;
        let pair = Pair::start(|folder, _| configure(folder, port, &patient()));
        pair.holder("forward").await;
        let client = pair.postgres.connect().await;
        let row = "SELECT holder, term FROM lease WHERE name = 'forward'";
        let row = client.query_one(row, &[]).await.unwrap();
        let (holder, term): (String, i64) = (row.get(0), row.get(1));
        let save = "SELECT save_forward($1, $2, 'other', $3, 0, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')";
        let earlier = client
            .query_one(save, &[&holder, &(term - 1), &7_i64])
            .await;
        assert!(!earlier.unwrap().get::<_, bool>(0));
        let stranger = client.query_one(save, &[&"stranger", &term, &7_i64]).await;
        assert!(!stranger.unwrap().get::<_, bool>(0));
        let position = "SELECT seq FROM forward_position WHERE destination = 'other'";
        assert!(client.query_opt(position, &[]).await.unwrap().is_none());
        // The control: the holder saves, and the position never goes back.
        for (through, expected) in [(7_i64, 7_i64), (3, 7), (9, 9)] {
            let saved = client.query_one(save, &[&holder, &term, &through]).await;
            assert!(saved.unwrap().get::<_, bool>(0));
            let seq: i64 = client.query_one(position, &[]).await.unwrap().get(0);
            assert_eq!(seq, expected);
        }
    });
}

/// Dead letters outlive the node that gave them up: every node lists them, and the next holder sends them again.
#[test]
fn dead_letters_of_a_killed_node_are_listed_and_sent_by_the_next_one() {
    alone(async {
        let mut destination = Destination::new(Random::new("dead letters")).await;
        let port = destination.port;
        let mut pair = Pair::start(|folder, _| configure(folder, port, "1"));
        let holder = pair.holder("forward").await;
        let other = 1 - holder;
        let address = watch::Sender::new(pair.node(other).public);
        chats::send(&(0..2), 2, 1, &address.subscribe())
            .join_all()
            .await;
        let dead = async |node: usize| {
            let listed = get(pair.node(node).private, "/api/v1/forward/crm/dead").await;
            let listed = listed.json()["data"].take();
            serde_json::from_value::<Vec<serde_json::Value>>(listed).unwrap()
        };
        let started = Instant::now();
        while dead(other).await.len() < 4 {
            assert!(started.elapsed() < STALLED);
            sleep(LOOK).await;
        }
        assert_eq!(dead(other).await, dead(holder).await);
        assert_eq!(
            dead(other).await[0]["typeWebhook"],
            "incomingMessageReceived"
        );
        let path = "/api/v1/forward/crm/replay?dead=true";
        let named = async || {
            let listed = get(pair.node(other).private, "/api/v1/forward")
                .await
                .json();
            listed["data"][0]["node"] == ["one", "two"][holder]
        };
        while !named().await {
            assert!(started.elapsed() < STALLED);
            sleep(LOOK).await;
        }
        let refused = try_request(pair.node(other).private, Method::POST, path, &[], "").await;
        let refused = refused.unwrap();
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert_eq!(refused.code(), "elsewhere");
        assert!(
            refused.json()["detail"]
                .as_str()
                .unwrap()
                .contains(["`one`", "`two`"][holder]),
            "{refused:?}"
        );

        pair.kill(holder);
        assert!(takes_over(pair.node(other), "forward", TAKEOVER).await);
        destination.open(Certificate::First).await;
        destination.set(Mood::Good);
        let started = Instant::now();
        while destination.delivered().len() < 4 {
            // The task itself may notice a moment after the lease.
            let _ = try_request(pair.node(other).private, Method::POST, path, &[], "").await;
            assert!(started.elapsed() < STALLED);
            sleep(LOOK).await;
        }
        assert_eq!(destination.delivered().wrong, [""; 0]);
        assert!(holds(pair.node(other), "forward").await);
    });
}
