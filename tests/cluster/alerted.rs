//! Alerts of several nodes. The holder of the lease sends each alert that every node sees once, and the next holder
//! continues from what was sent. A node sends the alerts that only it sees, with its own name.

use std::fs;
use std::time::{Duration, Instant};

use hyper::{Method, StatusCode};
use serde_json::Value;
use tokio::time::sleep;

use crate::duty::{LOOK, Pair, TAKEOVER, takes_over};
use crate::rig::alone;
use crate::support::client::try_request;
use crate::support::post;
use crate::support::sink::{Received, Sink};

/// Time after which a test fails.
const STALLED: Duration = Duration::from_mins(1);

/// The firing alerts of a name that the destination got.
fn of(requests: &[Received], name: &str) -> Vec<Value> {
    let alerts = requests.iter().map(Received::json);
    alerts.filter(|alert| alert["name"] == name).collect()
}

async fn wait_for(sink: &Sink, name: &str, count: usize) -> Vec<Value> {
    let started = Instant::now();
    loop {
        let found = of(&sink.received(), name);
        if found.len() >= count {
            return found;
        }
        assert!(started.elapsed() < STALLED, "{name}: {found:#?}");
        sleep(LOOK).await;
    }
}

#[test]
fn alerts_are_told_once_and_by_the_next_holder_after_a_kill() {
    alone(async {
        let sink = Sink::start().await;
        let url = sink.url("/alerts");
        let mut pair = Pair::start(|folder, _| {
            fs::create_dir(folder.join("config")).unwrap();
            let text = format!("[[alerts.to]]\nkind = \"webhook\"\nurl = \"{url}\"\n");
            fs::write(folder.join("config/green-inbox.toml"), text).unwrap();
        });
        let holder = pair.holder("alerts").await;
        let other = 1 - holder;
        wait_for(&sink, "heartbeat", 1).await;
        // The other node receives it, and the holder tells it.
        assert_eq!(
            post(pair.node(other).public, "no JSON").await.status,
            StatusCode::OK
        );
        wait_for(&sink, "malformed-body", 1).await;

        // What only one node sees.
        let wrong = [("authorization", "Bearer wrong")];
        for node in [holder, other] {
            let answer = try_request(
                pair.node(node).public,
                Method::POST,
                "/webhook",
                &wrong,
                "{}",
            )
            .await;
            assert_eq!(answer.unwrap().status, StatusCode::UNAUTHORIZED);
        }
        let told = wait_for(&sink, "token-rejected", 2).await;
        for name in ["node one", "node two"] {
            let names = |alert: &Value| alert["summary"].as_str().unwrap().contains(name);
            assert!(told.iter().any(names), "{told:#?}");
        }

        pair.kill(holder);
        assert!(takes_over(pair.node(other), "alerts", TAKEOVER).await);
        let body = r#"{"typeWebhook":"neverSeenBefore","instanceData":{"idInstance":1101000001},"timestamp":1767225600}"#;
        assert_eq!(
            post(pair.node(other).public, body).await.status,
            StatusCode::OK
        );
        wait_for(&sink, "unknown-type", 1).await;
        pair.run(holder);
        pair.kill(other);
        assert!(takes_over(pair.node(holder), "alerts", TAKEOVER).await);
        let body = body.replace("neverSeenBefore", "neverSeenEither");
        assert_eq!(
            post(pair.node(holder).public, body).await.status,
            StatusCode::OK
        );
        wait_for(&sink, "unknown-type", 2).await;

        let requests = sink.received();
        assert_eq!(of(&requests, "malformed-body").len(), 1, "{requests:#?}");
        assert_eq!(of(&requests, "heartbeat").len(), 1);
        let mut ids: Vec<_> = requests
            .iter()
            .map(|one| one.header("webhook-id"))
            .collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "an alert was told twice");
    });
}
