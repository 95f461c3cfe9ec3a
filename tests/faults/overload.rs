//! Overload: four times what it can take. What is over that is refused, and no more.
//!
//! What it can take is bounded by the disk here, whose syncs take a while each, and by the queue:
//! that holds on any machine, and leaves the processor to whoever plays GREEN-API.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, sleep};

use crate::failing_disk::assert_synced;
use crate::rig::bodies::Size;
use crate::rig::load::Outcome;
use crate::rig::recording::files;
use crate::rig::shim::Synced;
use crate::rig::usage::{Usage, mib};
use crate::rig::{Bodies, Load, Random, Shim, alone, setting};
use crate::support::{Connection, post};

/// What a sync takes.
const SYNC: Duration = Duration::from_millis(100);

/// What may wait; with the sync it makes some 100 a second.
const WAITING: (&str, &str) = ("GREEN_INBOX__INGEST__MAX_WAITING", "12");

/// Who posts in the overload.
const CONNECTIONS: u32 = 128;

const TIMES: f64 = 4.0;

/// What memory may grow by.
const GROWTH: u64 = 32 * 1024 * 1024;

/// Within which time all is as before.
const BACK: Duration = Duration::from_secs(2);

/// `FAULTS_OVERLOAD_SECONDS` sets how long: 10, and 60 for the whole of it.
#[test]
fn four_times_what_it_can_take() {
    alone(async {
        let length = Duration::from_secs(setting("FAULTS_OVERLOAD_SECONDS", 10));
        let mut random = Random::new("overload");
        let folder = tempfile::tempdir().unwrap();
        let before = files(folder.path());
        let shim = Shim::new();
        let mut server = shim.start(folder.path(), &[WAITING]);
        shim.delay_syncs(Synced::Log, SYNC);
        let bodies = Arc::new(Bodies::new(Size::Bytes(4 * 1024)));

        // What it can take: some are always waiting while others are being committed.
        let begun = Instant::now();
        let load = Load::start(server.public, 36, &bodies, shim.recorded());
        sleep(Duration::from_secs(3)).await;
        let able = load.stop().await;
        let capacity = rate(able.answered.len(), begun);
        let idle = Usage::of(&server, folder.path());

        let begun = Instant::now();
        let overload = post_at_rate(
            server.public,
            TIMES * capacity,
            length,
            &bodies,
            shim.recorded(),
        )
        .await;
        let offered = rate(overload.answered.len() + overload.unanswered.len(), begun);
        let taken = rate(overload.answered.len(), begun);
        let busy = Usage::of(&server, folder.path());

        let back = is_back(server.public).await;
        println!(
            "it can take {capacity:.0} a second; of {offered:.0} a second for {length:?} it took \
             {taken:.0} a second and refused {}; memory {} and at most {}; the slowest answer \
             {:.1?}; back after {} ms",
            overload.refused,
            mib(idle.memory),
            mib(busy.peak),
            overload.slowest,
            back.as_millis()
        );
        assert!(offered > 0.8 * TIMES * capacity, "it was no overload");
        assert!(taken > 0.5 * capacity, "it takes what it can");
        assert!(busy.peak < idle.peak + GROWTH);
        assert!(back < BACK);

        server.child.kill().unwrap();
        server.wait();
        let mut answered = able.answered;
        answered.extend(overload.answered);
        assert_synced(&before, &shim.recording(), &answered, &bodies, &mut random);
    });
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn rate(count: usize, begun: Instant) -> f64 {
    count as f64 / begun.elapsed().as_secs_f64()
}

/// Posts at this rate, whatever is answered.
async fn post_at_rate(
    address: SocketAddr,
    rate: f64,
    length: Duration,
    bodies: &Arc<Bodies>,
    note: impl Fn() -> u64 + Clone + Send + 'static,
) -> Outcome {
    let each = Duration::from_secs_f64(f64::from(CONNECTIONS) / rate);
    let end = Instant::now() + length;
    let mut connections = JoinSet::new();
    for number in 0..CONNECTIONS {
        let (bodies, note) = (Arc::clone(bodies), note.clone());
        connections.spawn(async move {
            let mut outcome = Outcome::default();
            let mut connection = Connection::open(address).await.unwrap();
            let mut due = interval_at(Instant::now() + each * number / CONNECTIONS, each);
            due.set_missed_tick_behavior(MissedTickBehavior::Burst);
            while due.tick().await < end && Instant::now() < end {
                let number = bodies.next();
                let begun = Instant::now();
                let answer = connection.post(bodies.body(number)).await.unwrap();
                outcome.slowest = outcome.slowest.max(begun.elapsed());
                outcome.take(number, &answer, note());
            }
            outcome
        });
    }
    let mut outcome = Outcome::default();
    for part in connections.join_all().await {
        outcome.add(part);
    }
    outcome
}

/// How long until ten in a row are answered 200, each within a few syncs.
async fn is_back(address: SocketAddr) -> Duration {
    let begun = Instant::now();
    let mut back = begun.elapsed();
    let mut row = 0;
    let mut tick = interval(Duration::from_millis(10));
    for number in 0.. {
        tick.tick().await;
        let sent = Instant::now();
        let answer = post(address, format!(r#"{{"back":{number}}}"#)).await;
        if answer.status == 200 && sent.elapsed() < 4 * SYNC {
            row += 1;
        } else {
            row = 0;
            back = begun.elapsed();
        }
        if row == 10 || begun.elapsed() > 2 * BACK {
            break;
        }
    }
    back
}
