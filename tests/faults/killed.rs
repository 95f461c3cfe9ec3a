//! Killed: at random moments, under load and while it starts.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::time::{Instant, sleep};

use crate::rig::bodies::Size;
use crate::rig::database::{Seqs, beside, integrity, lost, number};
use crate::rig::load::Answered;
use crate::rig::{Bodies, Load, Random, alone, setting};
use crate::support::Process;
use crate::support::process::serve;

/// Kills in one database; a look at the whole of it takes longer as it grows.
const KILLS_IN_ONE: u64 = 200;

const CONNECTIONS: usize = 8;

/// The kill comes within this time after the load began.
const MOST_MILLIS: u64 = 150;

/// How long a start takes, roughly.
const START_MILLIS: u64 = 40;

/// `FAULTS_KILLS` sets how many; 200 are usual, 10,000 take half an hour.
#[test]
fn what_was_answered_outlives_kills() {
    alone(async {
        let kills = setting("FAULTS_KILLS", KILLS_IN_ONE);
        let mut random = Random::new("killed");
        let begun = Instant::now();
        let (mut left, mut kept) = (kills, 0);
        while left > 0 {
            let rounds = left.min(KILLS_IN_ONE);
            kept += kill_often(rounds, &mut random).await;
            left -= rounds;
            println!("{} kills, nothing lost", kills - left);
        }
        println!(
            "{kills} kills, {kept} answered 200, none lost, {:.1?}",
            begun.elapsed()
        );
    });
}

/// Kills one server as often and gives how many notifications it had answered.
async fn kill_often(kills: u64, random: &mut Random) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let bodies = Arc::new(Bodies::new(Size::Mixed));
    let mut seqs = Seqs::default();
    let mut answered = Vec::new();
    let mut last = Vec::new();
    for kill in 1..=kills {
        if random.once_in(4) {
            kill_while_it_starts(folder.path(), random.below(START_MILLIS)).await;
        }
        let mut server = Process::start(folder.path());
        let database = beside(folder.path());
        let missing = lost(&database, &bodies, &last);
        assert!(missing.is_empty(), "kill {kill} lost {missing:?}");
        assert_eq!(integrity(&database), "ok", "kill {kill}");
        drop(database);

        let load = Load::start(server.public, CONNECTIONS, &bodies, || 0);
        sleep(Duration::from_millis(random.below(MOST_MILLIS))).await;
        server.child.kill().unwrap();
        server.wait();
        let outcome = load.ended().await;
        seqs.add(&outcome.answered);
        bodies.give_back(&outcome.unanswered);
        answered.append(&mut last);
        last = outcome.answered;
    }
    answered.append(&mut last);

    let _server = Process::start(folder.path());
    let database = beside(folder.path());
    assert_eq!(lost(&database, &bodies, &answered), [0; 0]);
    assert_eq!(integrity(&database), "ok");
    // What was sent again, since it was not answered, is stored once.
    let twice = "SELECT count(*) - count(DISTINCT digest) FROM event";
    assert_eq!(number(&database, twice), 0);
    assert!(answered.len() as u64 > kills, "there was hardly any load");
    see_that_a_loss_is_seen(&database, &bodies, &answered);
    seqs.len()
}

async fn kill_while_it_starts(folder: &Path, millis: u64) {
    let mut child = serve(folder).stderr(Stdio::null()).spawn().unwrap();
    sleep(Duration::from_millis(millis)).await;
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The control: in a copy without one of the rows, that one is lost, and with two bodies
/// exchanged, both are.
fn see_that_a_loss_is_seen(database: &Connection, bodies: &Bodies, answered: &[Answered]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    database
        .execute("VACUUM INTO ?1", [path.to_str().unwrap()])
        .unwrap();
    let copy = Connection::open(&path).unwrap();
    let [first, .., other] = answered else {
        panic!("too little was answered");
    };
    copy.execute("DELETE FROM event WHERE seq = ?1", [first.seq])
        .unwrap();
    assert_eq!(lost(&copy, bodies, answered), [first.seq]);
    copy.execute("UPDATE event SET body = x'00' WHERE seq = ?1", [other.seq])
        .unwrap();
    assert_eq!(lost(&copy, bodies, [other]), [other.seq]);
}
