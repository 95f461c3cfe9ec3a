//! The alerts and the metrics of a node.

use std::fs;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use tokio::time::sleep;

use crate::killed_postgres::ready;
use crate::promoted::{pair, url_of};
use crate::rig::alone;
use crate::support::{Process, get, post};

/// An alert fires within a minute of its cause.
const WITHIN: Duration = Duration::from_secs(60);

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// The names of the alerts that fire.
async fn firing(node: &Process) -> Vec<String> {
    let alerts = get(node.private, "/api/v1/alerts").await.json();
    let alerts = alerts["data"].as_array().unwrap().iter();
    let firing = alerts.filter(|alert| alert["state"] == "firing");
    firing
        .map(|alert| alert["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn fires(node: &Process, name: &str) {
    let caused = Instant::now();
    while !firing(node).await.contains(&name.to_owned()) {
        assert!(caused.elapsed() < WITHIN, "{name} does not fire");
        sleep(LOOK).await;
    }
    println!("{name} fires after {:?}", caused.elapsed());
}

async fn metric(node: &Process, name: &str) -> Option<f64> {
    let scrape = get(node.private, "/metrics").await;
    let text = String::from_utf8(scrape.body.to_vec()).unwrap();
    let line = text.lines().find(|line| {
        line.strip_prefix(&format!("green_inbox_{name}"))
            .is_some_and(|rest| rest.starts_with([' ', '{']))
    });
    line.map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
}

#[test]
fn lost_standby_old_copy_and_files_set_aside_raise_alerts() {
    alone(async {
        let (mut primary, mut standby) = pair(true).await;
        let folder = tempfile::tempdir().unwrap();
        let node = Process::with(
            folder.path(),
            &[
                ("GREEN_INBOX__STORAGE__URL", &url_of((&primary, &standby))),
                ("GREEN_INBOX__STORAGE__REQUIRE_STANDBY", "true"),
            ],
        );
        ready(&node, StatusCode::OK).await;
        let answer = post(node.public, "{\"typeWebhook\":\"note\"}").await;
        assert_eq!(answer.status, StatusCode::OK);
        let deadline = Instant::now() + WITHIN;
        while metric(&node, "standbys").await != Some(1.0) {
            assert!(Instant::now() < deadline, "the standby is not seen");
            sleep(LOOK).await;
        }
        for (name, expected) in [
            ("node_connected", 1.0),
            ("node_lag_events", 0.0),
            ("node_epoch", 1.0),
            ("append_duration_seconds_count", 1.0),
        ] {
            assert_eq!(metric(&node, name).await, Some(expected), "{name}");
        }
        assert!(metric(&node, "node_lag_seconds").await.unwrap() < 5.0);
        assert!(metric(&node, "standby_lag_seconds").await.unwrap() < 5.0);
        assert!(!firing(&node).await.contains(&"no-standby".to_owned()));

        let aside = folder.path().join("inbox.db.rewound");
        fs::write(&aside, "").unwrap();
        fires(&node, "rewound").await;

        standby.kill();
        fires(&node, "no-standby").await;
        assert_eq!(metric(&node, "standbys").await, Some(0.0));
        assert_eq!(metric(&node, "standby_lag_seconds").await, None);

        primary.kill();
        fires(&node, "node-behind").await;
        assert_eq!(metric(&node, "node_connected").await, Some(0.0));
        assert!(metric(&node, "node_lag_seconds").await.unwrap() >= 29.0);
        assert_eq!(metric(&node, "standbys").await, None);
    });
}
