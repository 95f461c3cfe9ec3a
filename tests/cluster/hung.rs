//! A node that hangs in the middle of its work, and a client that holds the lock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use tokio::time::sleep;

use crate::checks::Events;
use crate::killed_nodes::node;
use crate::killed_postgres::ready;
use crate::postgres::Postgres;
use crate::rig::bodies::Size;
use crate::rig::{Bodies, Load, Random, alone, setting};
use crate::support::post;

const CONNECTIONS: usize = 8;

/// Milliseconds between two stops, at most.
const MAX_MILLIS: u64 = 200;

/// How long the other node may take to answer: the lock is never held through a round trip to a node.
const UNTOUCHED: Duration = Duration::from_secs(2);

/// How long a notification waits for a lock that another client holds: `lock_timeout`, and some time to answer.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// `CLUSTER_HANGS` sets the number of times that a node hangs: 10 by default.
#[test]
fn hung_node_holds_up_no_other_and_loses_nothing() {
    alone(async {
        let hangs = setting("CLUSTER_HANGS", 10);
        let mut random = Random::new("hung nodes");
        let postgres = Postgres::start();
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let nodes = folders
            .each_ref()
            .map(|folder| node(folder, &postgres.url()));
        for node in &nodes {
            ready(node, StatusCode::OK).await;
        }
        let bodies = Arc::new(Bodies::new(Size::Mixed));
        let loads = nodes
            .each_ref()
            .map(|node| Load::start(node.public, CONNECTIONS, &bodies, || 0));
        for _ in 0..hangs {
            sleep(Duration::from_millis(random.below(MAX_MILLIS))).await;
            nodes[0].signal("STOP");
            // The other one goes on meanwhile.
            for number in 0..3 {
                let body = format!(
                    "{{\"typeWebhook\":\"note\",\"hang\":{},\"n\":{number}}}",
                    random.below(u64::MAX)
                );
                let asked = Instant::now();
                let answer = post(nodes[1].public, body).await;
                assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
                assert!(asked.elapsed() < UNTOUCHED, "{:?}", asked.elapsed());
            }
            nodes[0].signal("CONT");
        }
        let [first, second] = loads;
        let (mut hung, other) = (first.stop().await, second.stop().await);
        println!(
            "{hangs} hangs: {} answered; the other node: {} answered, {} refused, the slowest after {:?}",
            hung.answered.len(),
            other.answered.len(),
            other.refused,
            other.slowest
        );
        assert_eq!(other.refused, 0);
        assert!(other.slowest < UNTOUCHED, "{:?}", other.slowest);
        hung.add(other);
        let client = postgres.connect().await;
        let events = Events::read(&client).await;
        events.assert_whole(&hung.answered, &bodies);
    });
}

/// The control: a client that keeps the lock holds up every node, and the nodes answer 503 within the time limit.
#[test]
fn lock_that_is_held_is_answered_503_until_it_is_free() {
    alone(async {
        let postgres = Postgres::start();
        let folder = tempfile::tempdir().unwrap();
        let node = node(&folder, &postgres.url());
        ready(&node, StatusCode::OK).await;
        let bodies = Bodies::new(Size::Bytes(100));
        let client = postgres.connect().await;
        let hold = "BEGIN; SELECT last FROM feed_head FOR UPDATE";
        client.batch_execute(hold).await.unwrap();
        let asked = Instant::now();
        let refused = post(node.public, bodies.body(1)).await;
        let took = asked.elapsed();
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.header("retry-after"), "60");
        println!("a held lock is answered 503 after {took:?}");
        assert!(
            took >= LOCK_TIMEOUT - Duration::from_millis(100),
            "{took:?}"
        );
        assert!(took < LOCK_TIMEOUT + Duration::from_secs(2), "{took:?}");
        client.batch_execute("ROLLBACK").await.unwrap();
        ready(&node, StatusCode::OK).await;
        assert_eq!(post(node.public, bodies.body(1)).await.json()["seq"], 1);
    });
}
