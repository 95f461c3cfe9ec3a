//! SIGKILL of PostgreSQL under load. The nodes refuse notifications meanwhile, serve readers, and recover by themselves.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hyper::{Method, StatusCode};
use tokio::time::sleep;

use crate::checks::Events;
use crate::killed_nodes::node;
use crate::postgres::Postgres;
use crate::reader::{Nodes, Reader};
use crate::rig::bodies::Size;
use crate::rig::database::Seqs;
use crate::rig::{Bodies, Load, Random, alone, setting};
use crate::support::client::try_request;
use crate::support::process::PATIENCE;
use crate::support::{Process, get};

const CONNECTIONS: usize = 8;

/// Milliseconds of load before each kill, at most.
const MAX_MILLIS: u64 = 400;

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// The status of a path; `None` if the node closes the connection, as it does when it compares its copy.
async fn get_when_up(node: &Process, path: &str) -> Option<StatusCode> {
    let answer = try_request(node.private, Method::GET, path, &[], "").await;
    answer.ok().map(|answer| answer.status)
}

/// Waits until `/readyz` has a status.
pub async fn ready(node: &Process, status: StatusCode) {
    let deadline = Instant::now() + PATIENCE;
    while get_when_up(node, "/readyz").await != Some(status) {
        assert!(Instant::now() < deadline, "the node is never {status}");
        sleep(LOOK).await;
    }
}

/// `CLUSTER_POSTGRES_KILLS` sets the number of kills: 10 by default.
#[test]
fn answered_events_survive_kills_of_postgresql() {
    alone(async {
        let kills = setting("CLUSTER_POSTGRES_KILLS", 10);
        let mut random = Random::new("killed postgres");
        let mut postgres = Postgres::start();
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let running = folders
            .each_ref()
            .map(|folder| node(folder, &postgres.url()));
        let bodies = Arc::new(Bodies::new(Size::Mixed));
        let nodes: Nodes = Arc::new(Mutex::new(
            running.iter().map(|node| node.private).collect(),
        ));
        let readers = [0, 1].map(|first| Reader::start(&nodes, first));
        let loads = running
            .each_ref()
            .map(|node| Load::start(node.public, CONNECTIONS, &bodies, || 0));
        for _ in 0..kills {
            for node in &running {
                ready(node, StatusCode::OK).await;
            }
            sleep(Duration::from_millis(random.below(MAX_MILLIS))).await;
            postgres.kill();
            for node in &running {
                ready(node, StatusCode::SERVICE_UNAVAILABLE).await;
                let list = get(node.private, "/api/v1/events").await;
                assert_eq!(list.status, StatusCode::OK, "reading goes on: {list:?}");
            }
            postgres.run();
        }
        for node in &running {
            ready(node, StatusCode::OK).await;
        }
        let (mut answered, mut refused) = (Vec::new(), 0);
        for load in loads {
            let outcome = load.stop().await;
            answered.extend(outcome.answered);
            refused += outcome.refused;
        }
        Seqs::default().add(&answered);
        let client = postgres.connect().await;
        let events = Events::read(&client).await;
        for reader in readers {
            reader.reaches(i64::try_from(events.len()).unwrap()).await;
        }
        println!(
            "{kills} kills of PostgreSQL: {} answered, none lost; {refused} refused",
            answered.len()
        );
        assert!(refused > 0 && answered.len() as u64 > kills);
        events.assert_whole(&answered, &bodies);
    });
}
