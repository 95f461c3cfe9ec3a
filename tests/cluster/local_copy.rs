//! The database of a node: a lost one is copied again, and one with events of its own is never taken for a copy.

use std::fs;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use tokio::time::sleep;

use crate::killed_nodes::node;
use crate::killed_postgres::ready;
use crate::postgres::Postgres;
use crate::rig::Bodies;
use crate::rig::alone;
use crate::rig::bodies::Size;
use crate::support::process::{PATIENCE, finish, serve};
use crate::support::{Process, get, post};

/// The events of a node with their counts of deliveries.
async fn events(node: &Process) -> serde_json::Value {
    get(node.private, "/api/v1/events?order=asc&limit=500&body=true")
        .await
        .json()["data"]
        .take()
}

#[test]
fn lost_local_copy_is_copied_again() {
    alone(async {
        let postgres = Postgres::start();
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let bodies = Bodies::new(Size::Bytes(100));
        let one = node(&folders[0], &postgres.url());
        let other = node(&folders[1], &postgres.url());
        ready(&one, StatusCode::OK).await;
        ready(&other, StatusCode::OK).await;
        for number in 1..=100 {
            let to = if number % 2 == 0 { &one } else { &other };
            let answer = post(to.public, bodies.body(number)).await;
            assert_eq!(answer.json()["seq"], number);
            // The node that answered has it at once.
            let path = format!("/api/v1/events/{number}");
            assert_eq!(get(to.private, &path).await.status, StatusCode::OK);
        }
        let repeated = post(other.public, bodies.body(2)).await;
        assert_eq!(repeated.json()["repeated"], true);
        let before = events(&other).await;
        assert_eq!(before[1]["deliveries"], 2);
        let epoch = get(other.private, "/api/v1/stats").await.json()["epoch"].take();

        drop(one);
        for file in fs::read_dir(folders[0].path()).unwrap() {
            fs::remove_file(file.unwrap().path()).unwrap();
        }
        let one = node(&folders[0], &postgres.url());
        let deadline = Instant::now() + PATIENCE;
        while events(&one).await != before {
            assert!(Instant::now() < deadline, "the copy is never whole");
            sleep(Duration::from_millis(20)).await;
        }
        let stats = get(one.private, "/api/v1/stats").await.json();
        assert_eq!(
            stats["epoch"], epoch,
            "a cursor of one node holds on every node"
        );
    });
}

#[test]
fn database_with_events_of_its_own_is_refused() {
    alone(async {
        let postgres = Postgres::start();
        let folder = tempfile::tempdir().unwrap();
        let bodies = Bodies::new(Size::Bytes(100));
        let single = Process::start(folder.path());
        assert_eq!(post(single.public, bodies.body(1)).await.json()["seq"], 1);
        drop(single);
        let output = finish(serve(folder.path()).env("GREEN_INBOX__STORAGE__URL", postgres.url()));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains("has events of its own") && said.contains("help:"),
            "{said}"
        );
        let single = Process::start(folder.path());
        assert_eq!(events(&single).await.as_array().unwrap().len(), 1);
    });
}
