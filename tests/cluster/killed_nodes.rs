//! SIGKILL of a node under load, while the others go on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::sleep;

use crate::checks::Events;
use crate::postgres::Postgres;
use crate::reader::{Nodes, Reader};
use crate::rig::bodies::Size;
use crate::rig::database::Seqs;
use crate::rig::load::Outcome;
use crate::rig::{Bodies, Load, Random, alone, setting};
use crate::support::Process;

const CONNECTIONS: usize = 8;

/// Milliseconds between two kills, at most.
const MAX_MILLIS: u64 = 300;

/// A node in a folder of its own.
pub fn node(folder: &TempDir, url: &str) -> Process {
    Process::with(folder.path(), &[("GREEN_INBOX__STORAGE__URL", url)])
}

/// `CLUSTER_NODE_KILLS` sets the number of kills: 20 by default.
#[test]
fn answered_events_survive_kills_of_nodes() {
    alone(async {
        let kills = setting("CLUSTER_NODE_KILLS", 20);
        let mut random = Random::new("killed nodes");
        let postgres = Postgres::start();
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let bodies = Arc::new(Bodies::new(Size::Mixed));
        let mut running = folders
            .each_ref()
            .map(|folder| Some(node(folder, &postgres.url())));
        let addresses = |running: &[Option<Process>; 2]| {
            let nodes = running.iter().flatten();
            nodes.map(|node| node.private).collect::<Vec<_>>()
        };
        let nodes: Nodes = Arc::new(Mutex::new(addresses(&running)));
        let readers = [0, 1, 2].map(|first| Reader::start(&nodes, first));
        let mut loads = running.each_ref().map(|node| {
            let public = node.as_ref().unwrap().public;
            Some(Load::start(public, CONNECTIONS, &bodies, || 0))
        });
        let (mut outcome, mut seqs) = (Outcome::default(), Seqs::default());
        let mut take = |part: Outcome| {
            seqs.add(&part.answered);
            bodies.give_back(&part.unanswered);
            outcome.add(part);
        };
        for kill in 0..usize::try_from(kills).unwrap() {
            sleep(Duration::from_millis(random.below(MAX_MILLIS))).await;
            let turn = kill % 2;
            let mut victim = running[turn].take().unwrap();
            victim.child.kill().unwrap();
            victim.wait();
            take(loads[turn].take().unwrap().ended().await);
            let fresh = node(&folders[turn], &postgres.url());
            loads[turn] = Some(Load::start(fresh.public, CONNECTIONS, &bodies, || 0));
            running[turn] = Some(fresh);
            *nodes.lock().unwrap() = addresses(&running);
        }
        for load in loads.into_iter().flatten() {
            take(load.stop().await);
        }
        let client = postgres.connect().await;
        let events = Events::read(&client).await;
        let newest = i64::try_from(events.len()).unwrap();
        for reader in readers {
            reader.reaches(newest).await;
        }
        println!(
            "{kills} kills of a node: {} answered, none lost; {} of {newest} sent again",
            outcome.answered.len(),
            outcome.unanswered.len()
        );
        assert!(
            outcome.answered.len() as u64 > kills,
            "there was hardly any load"
        );
        events.assert_whole(&outcome.answered, &bodies);
    });
}
