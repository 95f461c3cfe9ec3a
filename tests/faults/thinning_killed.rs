//! SIGKILL at random moments, under load and at the start, while the thumbnails of old events are removed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use crate::rig::bodies::Size;
use crate::rig::database::{beside, integrity, lost, number};
use crate::rig::{Bodies, Load, Random, alone, old_events, setting};
use crate::support::Process;
use crate::support::stored::expand;

const CONNECTIONS: usize = 4;

/// Milliseconds between the start of the load and the kill, at most. Thinning the old events takes some seconds.
const MAX_MILLIS: u64 = 60;

/// The setting with which a server removes the thumbnails of the old events.
const STRIP: [(&str, &str); 1] = [("GREEN_INBOX__STORAGE__STRIP_THUMBNAILS_DAYS", "1")];

/// `FAULTS_KILLS` sets the number of kills: 60 by default.
#[test]
fn events_survive_kills_of_thinning() {
    alone(async {
        let kills = setting("FAULTS_KILLS", 60);
        let mut random = Random::new("thinning_killed");
        let folder = old_events::folder().await;
        let before = old_bodies(folder.path());
        let bodies = Arc::new(Bodies::new(Size::Mixed));
        let started = Instant::now();
        let mut answered = Vec::new();
        let (mut thinned, mut in_the_middle) = (0, 0);
        for kill in 1..=kills {
            let mut server = Process::with(folder.path(), &STRIP);
            let load = Load::start(server.public, CONNECTIONS, &bodies, || 0);
            sleep(Duration::from_millis(random.below(MAX_MILLIS))).await;
            server.child.kill().unwrap();
            server.wait();
            let outcome = load.ended().await;
            bodies.give_back(&outcome.unanswered);
            answered.extend(outcome.answered);
            let database =
                Connection::open(folder.path().join(crate::rig::database::NAME)).unwrap();
            assert_eq!(integrity(&database), "ok", "kill {kill}");
            let now = check(&database, &before);
            in_the_middle += u64::from(now > thinned);
            thinned = now;
        }
        let _server = Process::with(folder.path(), &STRIP);
        let database = beside(folder.path());
        assert_eq!(lost(&database, &bodies, &answered), [0; 0]);
        let rest = "SELECT count(*) FROM thinning WHERE seq < ?1";
        let last = before.last().unwrap().0;
        while database
            .query_row(rest, [last], |row| row.get::<_, i64>(0))
            .unwrap()
            > 0
        {
            sleep(Duration::from_millis(10)).await;
        }
        let thinned = check(&database, &before);
        let problems = "SELECT count(*) FROM pragma_foreign_key_check";
        assert_eq!(number(&database, problems), 0);
        assert!(thinned > 100, "{thinned}");
        assert!(in_the_middle > 0, "no kill came while bodies were replaced");
        println!(
            "{kills} kills, {in_the_middle} of them in the middle; {thinned} bodies thinned, {} acknowledged, none \
             lost, {:.1?}",
            answered.len(),
            started.elapsed()
        );
    });
}

/// The seq, digest and body of each old event.
fn old_bodies(folder: &Path) -> Vec<(i64, Vec<u8>, Vec<u8>)> {
    let database = beside(folder);
    let mut statement = database
        .prepare("SELECT seq, digest, body, size FROM event ORDER BY seq")
        .unwrap();
    let rows = statement.query_map([], |row| {
        let body = expand(&database, row.get(2)?, row.get(3)?)?;
        Ok((row.get(0)?, row.get(1)?, body.unwrap()))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Asserts that each old event has its digest, and its body whole or thinned with a mark. Returns how many are thinned.
fn check(database: &Connection, before: &[(i64, Vec<u8>, Vec<u8>)]) -> u64 {
    let mut find = database
        .prepare(
            "SELECT event.digest, event.body, event.size, thinned.digest FROM event
             LEFT JOIN thinned ON thinned.seq = event.seq WHERE event.seq = ?1",
        )
        .unwrap();
    let mut count = 0;
    for (seq, digest, body) in before {
        let (found, now, mark): (Vec<u8>, Vec<u8>, Option<Vec<u8>>) = find
            .query_row([seq], |row| {
                let body = expand(database, row.get(1)?, row.get(2)?)?;
                Ok((row.get(0)?, body.unwrap_or_default(), row.get(3)?))
            })
            .unwrap_or_else(|failure| panic!("event {seq}: {failure}"));
        assert_eq!(found, *digest, "event {seq}");
        match mark {
            None => assert!(now == *body, "event {seq} has changed without a mark"),
            Some(mark) => {
                assert!(now.len() < body.len(), "event {seq}");
                assert!(Sha256::digest(&now)[..] == mark[..], "event {seq}");
                count += 1;
            }
        }
    }
    count
}
