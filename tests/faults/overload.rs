//! Overload: four times the capacity is offered. The server refuses the excess and nothing more.
//!
//! A slow disk and a short queue bound the capacity. That works on any machine and leaves the CPU
//! to the load generator.

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

/// Time that each sync takes.
const SYNC: Duration = Duration::from_millis(100);

/// Appends that may wait. With the sync delay this gives about 100 a second.
const WAITING: (&str, &str) = ("GREEN_INBOX__INGEST__MAX_WAITING", "12");

/// Connections that post during the overload.
const CONNECTIONS: u32 = 128;

/// Offered load as a multiple of the capacity.
const TIMES: f64 = 4.0;

/// Bytes by which memory may grow.
const GROWTH: u64 = 32 * 1024 * 1024;

/// Longest time until the server has recovered.
const RECOVERY: Duration = Duration::from_secs(2);

/// `FAULTS_OVERLOAD_SECONDS` sets the duration: 10 by default, 60 for a full run.
#[test]
fn fourfold_overload_is_refused_in_bounded_memory_and_recovers() {
    alone(async {
        let length = Duration::from_secs(setting("FAULTS_OVERLOAD_SECONDS", 10));
        let mut random = Random::new("overload");
        let folder = tempfile::tempdir().unwrap();
        let before = files(folder.path());
        let shim = Shim::new();
        let mut server = shim.start(folder.path(), &[WAITING]);
        shim.delay_syncs(Synced::Wal, SYNC);
        let bodies = Arc::new(Bodies::new(Size::Bytes(4 * 1024)));

        // Measure the capacity: some appends are always waiting while others are committed.
        let started = Instant::now();
        let load = Load::start(server.public, 36, &bodies, shim.recorded());
        sleep(Duration::from_secs(3)).await;
        let capacity_run = load.stop().await;
        let capacity = rate(capacity_run.answered.len(), started);
        let idle = Usage::of(&server, folder.path());

        let started = Instant::now();
        let overload = post_at_rate(
            server.public,
            TIMES * capacity,
            length,
            &bodies,
            shim.recorded(),
        )
        .await;
        let offered = rate(overload.answered.len() + overload.unanswered.len(), started);
        let taken = rate(overload.answered.len(), started);
        let busy = Usage::of(&server, folder.path());

        let recovery = time_to_recover(server.public).await;
        println!(
            "capacity {capacity:.0} a second; of {offered:.0} a second for {length:?} it accepted \
             {taken:.0} a second and refused {}; memory {} and at most {}; slowest response \
             {:.1?}; recovered after {} ms",
            overload.refused,
            mib(idle.memory),
            mib(busy.peak),
            overload.slowest,
            recovery.as_millis()
        );
        assert!(offered > 0.8 * TIMES * capacity, "the load was no overload");
        assert!(
            taken > 0.5 * capacity,
            "under overload it accepts less than half its capacity"
        );
        assert!(busy.peak < idle.peak + GROWTH);
        assert!(recovery < RECOVERY);

        server.child.kill().unwrap();
        server.wait();
        let mut answered = capacity_run.answered;
        answered.extend(overload.answered);
        assert_synced(&before, &shim.recording(), &answered, &bodies, &mut random);
    });
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn rate(count: usize, started: Instant) -> f64 {
    count as f64 / started.elapsed().as_secs_f64()
}

/// Posts at this rate, regardless of the responses.
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
                let started = Instant::now();
                let answer = connection.post(bodies.body(number)).await.unwrap();
                outcome.slowest = outcome.slowest.max(started.elapsed());
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

/// Time until ten notifications in a row get 200, each within a few syncs.
async fn time_to_recover(address: SocketAddr) -> Duration {
    let started = Instant::now();
    let mut recovery = started.elapsed();
    let mut in_a_row = 0;
    let mut tick = interval(Duration::from_millis(10));
    for number in 0.. {
        tick.tick().await;
        let sent = Instant::now();
        let answer = post(address, format!(r#"{{"recovery":{number}}}"#)).await;
        if answer.status == 200 && sent.elapsed() < 4 * SYNC {
            in_a_row += 1;
        } else {
            in_a_row = 0;
            recovery = started.elapsed();
        }
        if in_a_row == 10 || started.elapsed() > 2 * RECOVERY {
            break;
        }
    }
    recovery
}
