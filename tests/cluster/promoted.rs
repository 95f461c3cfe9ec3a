//! Promotion of a standby after the primary is cut off.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::{Method, StatusCode};
use serde_json::Value;
use tokio::time::sleep;

use crate::checks::Events;
use crate::killed_nodes::node;
use crate::killed_postgres::ready;
use crate::postgres::Postgres;
use crate::rig::bodies::Size;
use crate::rig::load::Answered;
use crate::rig::{Bodies, Load, Random, alone, setting};
use crate::support::client::try_request;
use crate::support::process::PATIENCE;
use crate::support::{Process, get};

const CONNECTIONS: usize = 8;

/// Milliseconds of load before the primary is cut off, at most.
const MAX_MILLIS: u64 = 500;

/// A primary and its standby. With `names`, commits wait for the standby.
pub async fn pair(is_synchronous: bool) -> (Postgres, Postgres) {
    let primary = Postgres::start();
    let standby = Postgres::standby(&primary, "second");
    if is_synchronous {
        primary.configure(&["synchronous_standby_names=second"]);
        primary.reload();
    }
    let state = if is_synchronous { "sync" } else { "async" };
    primary
        .wait_for(&format!(
            "SELECT count(*) > 0 FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '{state}'"
        ))
        .await;
    (primary, standby)
}

/// The URL of both.
pub fn url_of((one, other): (&Postgres, &Postgres)) -> String {
    format!("postgres://inbox@{},{}/postgres", one.host(), other.host())
}

/// What a failover left.
struct Left {
    events: Events,
    answered: Vec<Answered>,
    bodies: Arc<Bodies>,
    took: Duration,
}

/// Cuts the primary off under load and promotes the standby. If it is asynchronous, it gets nothing for a while before,
/// so that it lacks the last events.
async fn fail_over(is_synchronous: bool, millis: u64) -> Left {
    let (primary, standby) = pair(is_synchronous).await;
    let url = url_of((&primary, &standby));
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let nodes = folders.each_ref().map(|folder| node(folder, &url));
    let bodies = Arc::new(Bodies::new(Size::Mixed));
    for node in &nodes {
        ready(node, StatusCode::OK).await;
    }
    let stats = get(nodes[0].private, "/api/v1/stats").await.json();
    let loads = nodes
        .each_ref()
        .map(|node| Load::start(node.public, CONNECTIONS, &bodies, || 0));
    sleep(Duration::from_millis(100 + millis)).await;
    if !is_synchronous {
        primary.cut_replication().await;
        sleep(Duration::from_millis(500)).await;
    }
    // The old primary hangs: its connections stay open, and later it would go on.
    primary.signal("STOP");
    let cut = Instant::now();
    standby.promote();
    // A new epoch tells that the node follows the new primary.
    for node in &nodes {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = epoch_of(node).await;
            if now != Value::Null && now != stats["epoch"] {
                break;
            }
            assert!(
                Instant::now() < deadline,
                "the node stays with the old primary"
            );
            sleep(Duration::from_millis(50)).await;
        }
        ready(node, StatusCode::OK).await;
    }
    let took = cut.elapsed();
    // It wakes up again, and accepts writes.
    primary.signal("CONT");
    sleep(Duration::from_millis(500)).await;
    let mut answered = Vec::new();
    for load in loads {
        answered.extend(load.stop().await.answered);
    }
    let client = standby.connect().await;
    let events = Events::read(&client).await;
    let newest = i64::try_from(events.len()).unwrap();
    let old_cursor = format!(
        "/api/v1/events?after=0&epoch={}",
        stats["epoch"].as_str().unwrap()
    );
    let old = Events::read(&primary.connect().await).await;
    for node in &nodes {
        let rewound = get(node.private, &old_cursor).await;
        assert_eq!(rewound.code(), "feed-rewound");
        // What readers of the old epoch have read up to here they need not read again.
        let common = rewound.json()["lastCommonSeq"].as_i64().unwrap();
        assert_eq!(events.body(common), old.body(common));
        let (next, old_next) = (events.body(common + 1), old.body(common + 1));
        assert!(
            next != old_next || next.is_none(),
            "{common} is not the last"
        );
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = get(node.private, "/api/v1/stats").await.json();
            if now["newestSeq"] == newest {
                break;
            }
            assert!(Instant::now() < deadline, "{now} of {newest}");
            sleep(Duration::from_millis(50)).await;
        }
        let last = get(node.private, &format!("/api/v1/events/{newest}/body")).await;
        assert_eq!(last.status, StatusCode::OK);
    }
    Left {
        events,
        answered,
        bodies,
        took,
    }
}

/// The epoch of a node; null while it compares its copy.
async fn epoch_of(node: &Process) -> Value {
    let answer = try_request(node.private, Method::GET, "/api/v1/stats", &[], "").await;
    match answer {
        Ok(answer) if answer.status == StatusCode::OK => answer.json()["epoch"].take(),
        _ => Value::Null,
    }
}

/// `CLUSTER_PROMOTIONS` sets the number of failovers: 3 by default.
#[test]
fn answered_events_survive_the_promotion_of_a_synchronous_standby() {
    alone(async {
        let mut random = Random::new("promoted");
        for round in 1..=setting("CLUSTER_PROMOTIONS", 3) {
            let left = fail_over(true, random.below(MAX_MILLIS)).await;
            println!(
                "failover {round}: {} answered, none lost; nodes ready after {:.1?}",
                left.answered.len(),
                left.took
            );
            left.events.assert_whole(&left.answered, &left.bodies);
        }
    });
}

/// The control: if commits do not wait for the standby, a promotion loses answered events. The nodes then serve the
/// events that the new primary has.
#[test]
fn promotion_of_an_asynchronous_standby_loses_answered_events() {
    alone(async {
        let left = fail_over(false, 100).await;
        let problems = left.events.problems(&left.answered, &left.bodies);
        println!(
            "asynchronous standby: {} answered events lost",
            problems.len()
        );
        assert!(
            problems.iter().any(|problem| problem.ends_with("is lost")),
            "{problems:?}"
        );
    });
}
