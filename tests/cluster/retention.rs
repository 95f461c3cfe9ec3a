//! Retention by the node that has the lease: old events go from PostgreSQL and from every copy, and new copies begin after
//! them.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use serde_json::Value;
use tokio::time::sleep;

use crate::duty::{LOOK, Pair, TAKEOVER, takes_over};
use crate::killed_nodes::node;
use crate::postgres::Postgres;
use crate::rig::Bodies;
use crate::rig::alone;
use crate::rig::bodies::Size;
use crate::support::{Process, get, post};

/// Old events, and new ones after them.
const OLD: i64 = 20_000;
const NEW: i64 = 500;

/// Time after which a test fails.
const STALLED: Duration = Duration::from_mins(2);

/// Events with texts of their own: the old ones arrived three days ago.
const FILL: &str = "
    INSERT INTO event (seq, received_at, \"timestamp\", key, digest, origin, body)
    SELECT g, (extract(epoch FROM now()) * 1000)::bigint - CASE WHEN g <= 20000 THEN 3 * 86400000 ELSE 0 END,
           NULL, ('x' || left(encode(sha256(b), 'hex'), 16))::bit(64)::bigint, sha256(b), 'webhook', b
    FROM generate_series(1, 20500) g, LATERAL (SELECT convert_to('{\"number\":' || g || '}', 'UTF8') AS b) body";

fn configure(folder: &Path) {
    fs::create_dir_all(folder.join("config")).unwrap();
    let text = "[storage]\nretention_days = 1\n";
    fs::write(folder.join("config/green-inbox.toml"), text).unwrap();
}

/// A PostgreSQL with the events, whose schema a node has made.
async fn filled() -> Postgres {
    let postgres = Postgres::start();
    let folder = tempfile::tempdir().unwrap();
    drop(node(&folder, &postgres.url()));
    let client = postgres.connect().await;
    assert_eq!(client.execute(FILL, &[]).await.unwrap(), 20_500);
    let head = "UPDATE feed_head SET last = 20500";
    client.execute(head, &[]).await.unwrap();
    postgres
}

/// Waits until a node has exactly the new events.
async fn has_only_new(node: &Process) {
    let started = Instant::now();
    loop {
        let stats = get(node.private, "/api/v1/stats").await.json();
        if stats["oldestSeq"] == OLD + 1 && stats["newestSeq"] == OLD + NEW {
            break;
        }
        assert!(started.elapsed() < STALLED, "{stats:#}");
        sleep(LOOK).await;
    }
    let page = get(node.private, "/api/v1/events?after=0&limit=500&wait=0").await;
    assert_eq!(page.header("green-inbox-oldest-seq"), (OLD + 1).to_string());
    let Value::Array(events) = page.json()["data"].take() else {
        panic!("{page:?}");
    };
    let seqs: Vec<_> = events
        .iter()
        .map(|event| event["seq"].as_i64().unwrap())
        .collect();
    assert!(seqs.iter().copied().eq(OLD + 1..=OLD + NEW), "{seqs:?}");
    let gone = get(node.private, &format!("/api/v1/events/{OLD}")).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[test]
fn old_events_go_from_postgresql_and_every_copy_although_the_holder_is_killed() {
    alone(async {
        let mut pair = Pair::with(filled().await, |folder, _| configure(folder));
        let client = pair.postgres.connect().await;
        let deleted = async || -> i64 {
            let row = client.query_one("SELECT seq FROM retention", &[]).await;
            row.unwrap().get(0)
        };
        let started = Instant::now();
        while deleted().await == 0 {
            assert!(started.elapsed() < STALLED, "nothing is deleted");
            sleep(Duration::from_millis(1)).await;
        }
        let holder = pair.holder("retention").await;
        pair.kill(holder);
        let left = OLD - deleted().await;
        let killed = Instant::now();
        assert!(takes_over(pair.node(1 - holder), "retention", TAKEOVER).await);
        while deleted().await < OLD {
            assert!(started.elapsed() < STALLED, "{}", deleted().await);
            sleep(LOOK).await;
        }
        println!(
            "retention: {left} of {OLD} old events were left at the kill; the other node had deleted them after {:.1?}",
            killed.elapsed()
        );
        assert!(left > 0, "the kill came too late to show anything");
        let count = "SELECT count(*), min(seq) FROM event";
        let row = client.query_one(count, &[]).await.unwrap();
        assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (NEW, OLD + 1));
        has_only_new(pair.node(1 - holder)).await;
        // The copy of the killed node has old events, of which it lacks the next ones or not.
        pair.run(holder);
        has_only_new(pair.node(holder)).await;
        // A new copy begins after what is deleted.
        pair.kill(holder);
        for file in fs::read_dir(pair.folders[holder].path()).unwrap() {
            let path = file.unwrap().path();
            if path.is_file() {
                fs::remove_file(path).unwrap();
            }
        }
        pair.run(holder);
        has_only_new(pair.node(holder)).await;
        // Numbering goes on, also if every event is deleted.
        let bodies = Bodies::new(Size::Bytes(100));
        let answer = post(pair.node(holder).public, bodies.body(1)).await;
        assert_eq!(answer.json()["seq"], OLD + NEW + 1);
    });
}

/// A node that was away while events were deleted that it does not have yet.
#[test]
fn copy_that_lacks_deleted_events_is_made_anew() {
    alone(async {
        let postgres = filled().await;
        let folder = tempfile::tempdir().unwrap();
        let one = node(&folder, &postgres.url());
        let client = postgres.connect().await;
        let started = Instant::now();
        while get(one.private, "/api/v1/stats").await.json()["newestSeq"] != OLD + NEW {
            assert!(started.elapsed() < STALLED);
            sleep(LOOK).await;
        }
        drop(one);
        // As if more events came and went meanwhile.
        for sql in [
            "UPDATE feed_head SET last = 30000",
            "DELETE FROM event",
            "UPDATE retention SET seq = 30000",
        ] {
            client.execute(sql, &[]).await.unwrap();
        }
        let one = node(&folder, &postgres.url());
        one.log
            .wait_for(|line| line.contains("the events are copied anew"));
        let stats = get(one.private, "/api/v1/stats").await.json();
        assert_eq!(stats["oldestSeq"], Value::Null, "{stats:#}");
        assert_eq!(stats["newestSeq"], 30_000, "{stats:#}");
        let answer = post(one.public, Bodies::new(Size::Bytes(100)).body(1)).await;
        assert_eq!(answer.json()["seq"], 30_001);
        let aside = folder.path().join("inbox.db.rewound");
        assert!(!aside.exists(), "what retention has deleted is not kept");
    });
}

/// The control: without the lease nothing is deleted.
#[test]
fn node_without_the_lease_deletes_nothing() {
    alone(async {
        let postgres = filled().await;
        let client = postgres.connect().await;
        let prune = "SELECT prune_events('stranger', 1, 20000)";
        assert!(
            !client
                .query_one(prune, &[])
                .await
                .unwrap()
                .get::<_, bool>(0)
        );
        let count = "SELECT count(*) FROM event";
        let count: i64 = client.query_one(count, &[]).await.unwrap().get(0);
        assert_eq!(count, OLD + NEW);
    });
}
