//! SIGKILL at random moments, under load and during startup, while retention deletes old events.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::time::{Instant, sleep};

use crate::rig::bodies::Size;
use crate::rig::database::{Seqs, beside, integrity, lost, number};
use crate::rig::load::Answered;
use crate::rig::old_events::{self, RETENTION};
use crate::rig::{Bodies, Load, Random, alone, setting};
use crate::support::Process;
use crate::support::process::serve;

/// Kills per database. Checking the whole database takes longer as it grows.
const KILLS_PER_DATABASE: u64 = 200;

const CONNECTIONS: usize = 8;

/// Milliseconds between the start of the load and the kill, at most.
const MAX_MILLIS: u64 = 150;

/// Milliseconds that a start takes, roughly.
const START_MILLIS: u64 = 40;

/// `FAULTS_KILLS` sets the number of kills: 200 by default; 10,000 take half an hour.
#[test]
fn acknowledged_events_survive_kills() {
    alone(async {
        let kills = setting("FAULTS_KILLS", KILLS_PER_DATABASE);
        let mut random = Random::new("killed");
        let started = Instant::now();
        let (mut left, mut kept) = (kills, 0);
        while left > 0 {
            let rounds = left.min(KILLS_PER_DATABASE);
            kept += kill_repeatedly(rounds, &mut random).await;
            left -= rounds;
            println!("{} kills, nothing lost", kills - left);
        }
        println!(
            "{kills} kills, {kept} acknowledged, none lost, {:.1?}",
            started.elapsed()
        );
    });
}

/// Kills one server `kills` times and returns the number of acknowledged notifications.
async fn kill_repeatedly(kills: u64, random: &mut Random) -> usize {
    let folder = old_events::folder().await;
    let bodies = Arc::new(Bodies::new(Size::Mixed));
    let mut seqs = Seqs::default();
    let mut answered = Vec::new();
    let mut last = Vec::new();
    for kill in 1..=kills {
        if random.once_in(4) {
            kill_during_startup(folder.path(), random.below(START_MILLIS)).await;
        }
        let mut server = Process::with(folder.path(), &[RETENTION]);
        let database = beside(folder.path());
        let missing = lost(&database, &bodies, &last);
        assert!(missing.is_empty(), "kill {kill} lost {missing:?}");
        assert_eq!(integrity(&database), "ok", "kill {kill}");
        drop(database);

        let load = Load::start(server.public, CONNECTIONS, &bodies, || 0);
        sleep(Duration::from_millis(random.below(MAX_MILLIS))).await;
        server.child.kill().unwrap();
        server.wait();
        let outcome = load.ended().await;
        seqs.add(&outcome.answered);
        bodies.give_back(&outcome.unanswered);
        answered.append(&mut last);
        last = outcome.answered;
    }
    answered.append(&mut last);

    let _server = Process::with(folder.path(), &[RETENTION]);
    let database = beside(folder.path());
    assert_eq!(lost(&database, &bodies, &answered), [0; 0]);
    assert_eq!(integrity(&database), "ok");
    // Bodies resent for lack of a response are stored once.
    let twice = "SELECT count(*) - count(DISTINCT digest) FROM event";
    assert_eq!(number(&database, twice), 0);
    assert!(answered.len() as u64 > kills, "there was hardly any load");
    assert_losses_are_detected(&database, &bodies, &answered);
    old_events::assert_deleted(folder.path());
    seqs.len()
}

async fn kill_during_startup(folder: &Path, millis: u64) {
    let mut command = serve(folder);
    command.envs([RETENTION]).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    sleep(Duration::from_millis(millis)).await;
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The control: the check reports a deleted row and a changed body in a copy of the database.
fn assert_losses_are_detected(database: &Connection, bodies: &Bodies, answered: &[Answered]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    database
        .execute("VACUUM INTO ?1", [path.to_str().unwrap()])
        .unwrap();
    let copy = Connection::open(&path).unwrap();
    let [first, .., other] = answered else {
        panic!("too few notifications were acknowledged");
    };
    copy.execute("DELETE FROM event WHERE seq = ?1", [first.seq])
        .unwrap();
    assert_eq!(lost(&copy, bodies, answered), [first.seq]);
    copy.execute("UPDATE event SET body = x'00' WHERE seq = ?1", [other.seq])
        .unwrap();
    assert_eq!(lost(&copy, bodies, [other]), [other.seq]);
}
