//! SIGKILL at random moments while bodies that are stored as they were received are compressed.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::time::{Instant, sleep};

use crate::rig::bodies::Size;
use crate::rig::database::{NAME, beside, integrity, lost, number};
use crate::rig::{Bodies, Load, Random, alone, setting};
use crate::support::Process;

const CONNECTIONS: usize = 8;

/// Events to compress, at least.
const EVENTS: i64 = 3000;

/// Milliseconds between the first bodies that a server compresses and its kill, at most.
const MAX_MILLIS: u64 = 20;

/// With this setting nothing is compressed.
const AS_RECEIVED: [(&str, &str); 1] = [("GREEN_INBOX__STORAGE__COMPRESSION", "none")];

const PLAIN: &str = "SELECT count(*) FROM event WHERE size IS NULL";

/// `FAULTS_KILLS` sets the number of kills: 20 by default, or fewer if everything is compressed before.
#[test]
fn events_survive_kills_of_compressing() {
    alone(async {
        let kills = setting("FAULTS_KILLS", 20);
        let mut random = Random::new("compressing_killed");
        let folder = tempfile::tempdir().unwrap();
        let bodies = Arc::new(Bodies::new(Size::Mixed));
        let started = Instant::now();
        let mut server = Process::with(folder.path(), &AS_RECEIVED);
        let load = Load::start(server.public, CONNECTIONS, &bodies, || 0);
        let database = beside(folder.path());
        while number(&database, PLAIN) < EVENTS {
            sleep(Duration::from_millis(10)).await;
        }
        drop(database);
        let outcome = load.stop().await;
        let answered = outcome.answered;
        server.signal("TERM");
        assert!(server.wait().success());

        let open = || Connection::open(folder.path().join(NAME)).unwrap();
        let mut plain = number(&open(), PLAIN);
        let mut in_the_middle = 0;
        let mut killed = 0;
        while killed < kills && plain > 0 {
            let mut server = Process::start(folder.path());
            let database = beside(folder.path());
            while number(&database, PLAIN) == plain {
                sleep(Duration::from_millis(1)).await;
            }
            drop(database);
            sleep(Duration::from_millis(random.below(MAX_MILLIS))).await;
            server.child.kill().unwrap();
            server.wait();
            killed += 1;
            let database = open();
            assert_eq!(integrity(&database), "ok", "kill {killed}");
            assert_eq!(lost(&database, &bodies, &answered), [0; 0], "kill {killed}");
            let now = number(&database, PLAIN);
            in_the_middle += u64::from(now < plain && now > 0);
            plain = now;
        }
        let _server = Process::start(folder.path());
        let database = beside(folder.path());
        while number(&database, PLAIN) > 0 {
            sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(lost(&database, &bodies, &answered), [0; 0]);
        let problems = "SELECT count(*) FROM pragma_foreign_key_check";
        assert_eq!(number(&database, problems), 0);
        assert!(in_the_middle > 0, "no kill came while bodies were replaced");
        println!(
            "{killed} kills, {in_the_middle} of them in the middle; {} events compressed, none lost, {:.1?}",
            answered.len(),
            started.elapsed()
        );
    });
}
