//! Starts of nodes while PostgreSQL is away.

use std::process::Stdio;

use hyper::StatusCode;

use crate::killed_nodes::node;
use crate::killed_postgres::ready;
use crate::postgres::Postgres;
use crate::rig::Bodies;
use crate::rig::alone;
use crate::rig::bodies::Size;
use crate::support::process::{Log, serve};
use crate::support::{get, post};

#[test]
fn node_with_a_copy_starts_without_postgresql_and_connects_later() {
    alone(async {
        let mut postgres = Postgres::start();
        let folder = tempfile::tempdir().unwrap();
        let bodies = Bodies::new(Size::Bytes(100));
        let first = node(&folder, &postgres.url());
        ready(&first, StatusCode::OK).await;
        for number in 1..=5 {
            assert_eq!(
                post(first.public, bodies.body(number)).await.json()["seq"],
                number
            );
        }
        post(first.public, bodies.body(5)).await;
        let events = "/api/v1/events?order=asc&body=true";
        let before = get(first.private, events).await;
        let epoch = before.header("green-inbox-epoch").to_owned();
        drop(first);
        postgres.kill();

        let started = node(&folder, &postgres.url());
        ready(&started, StatusCode::SERVICE_UNAVAILABLE).await;
        let alone = get(started.private, events).await;
        assert_eq!(alone.json()["data"], before.json()["data"]);
        assert_eq!(alone.header("green-inbox-epoch"), epoch);
        let refused = post(started.public, bodies.body(6)).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            (refused.code(), refused.header("retry-after")),
            ("unavailable".into(), "60")
        );

        postgres.run();
        ready(&started, StatusCode::OK).await;
        assert_eq!(post(started.public, bodies.body(6)).await.json()["seq"], 6);
        assert_eq!(
            post(started.public, bodies.body(5)).await.json()["repeated"],
            true
        );
        let after = get(started.private, events).await;
        assert_eq!(after.json()["data"].as_array().unwrap().len(), 6);
        assert_eq!(after.json()["data"][4]["deliveries"], 3);
        assert_eq!(after.header("green-inbox-epoch"), epoch, "readers go on");
    });
}

#[test]
fn node_without_a_copy_waits_for_postgresql() {
    alone(async {
        let mut postgres = Postgres::start();
        postgres.kill();
        let folder = tempfile::tempdir().unwrap();
        let mut command = serve(folder.path());
        command.env("GREEN_INBOX__STORAGE__URL", postgres.url());
        let spawned = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap();
        let log = Log::of(child.stderr.take().unwrap());
        log.wait_for(|line| line.contains("waiting for PostgreSQL"));
        postgres.run();
        log.wait_for(|line| line.contains("serving readers at"));
        child.kill().unwrap();
        child.wait().unwrap();
    });
}
