//! Slow and failing disk: no 200 before the data is on disk, and no further work after a failed
//! sync.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::rig::bodies::Size;
use crate::rig::database::{after_cut, integrity, lost};
use crate::rig::load::Answered;
use crate::rig::recording::{Files, Recording, Syncs, Unsynced, files, put};
use crate::rig::shim::Synced;
use crate::rig::usage::{Usage, mib};
use crate::rig::{Bodies, Load, Random, Shim, alone};
use crate::support::process::PATIENCE;
use crate::support::{Process, get, post};

/// Time that a sync takes on the slow disk.
const SLOW: Duration = Duration::from_secs(5);

/// Bytes by which memory may grow while the disk is slow.
const GROWTH: u64 = 48 * 1024 * 1024;

/// A queue of 32 appends, and 128 connections that compete for it.
const WAITING: (&str, &str) = ("GREEN_INBOX__INGEST__MAX_WAITING", "32");
const MANY: usize = 128;

#[test]
fn slow_disk_delays_acknowledgements_and_the_queue_stays_bounded() {
    alone(async {
        let mut random = Random::new("slow disk");
        let folder = tempfile::tempdir().unwrap();
        let before = files(folder.path());
        let shim = Shim::new();
        let mut server = shim.start(folder.path(), &[WAITING]);
        assert_eq!(post(server.public, "{}").await.status, 200);
        let idle = Usage::of(&server, folder.path());

        shim.delay_syncs(Synced::Wal, SLOW);
        let bodies = Arc::new(Bodies::new(Size::Bytes(16 * 1024)));
        let load = Load::start(server.public, MANY, &bodies, shim.recorded());
        // Wait for two complete syncs and the start of a third.
        let started = shim.syncs();
        wait_for(|| shim.syncs() >= started + 3).await;
        assert_eq!(get(server.private, "/readyz").await.status, 200);
        let busy = Usage::of(&server, folder.path());
        shim.delay_syncs(Synced::Wal, Duration::ZERO);
        let outcome = load.stop().await;
        println!(
            "syncs of {SLOW:?}: {} acknowledged, the slowest after {:.1?}, {} refused, memory {} and \
             at most {}",
            outcome.answered.len(),
            outcome.slowest,
            outcome.refused,
            mib(idle.memory),
            mib(busy.peak)
        );
        assert!(outcome.refused > 0, "the queue is not bounded");
        assert!(outcome.slowest >= SLOW, "the disk was not slow");
        assert!(busy.peak < idle.peak + GROWTH);
        let recovered = Instant::now();
        assert_eq!(post(server.public, r#"{"after":"it"}"#).await.status, 200);
        assert!(recovered.elapsed() < Duration::from_secs(2));

        server.child.kill().unwrap();
        server.wait();
        let recording = shim.recording();
        assert_synced(&before, &recording, &outcome.answered, &bodies, &mut random);
    });
}

/// Cuts the power at the moment of an acknowledgement, 20 times, and asserts that everything
/// acknowledged is on disk. The control makes the same cuts with the syncs of
/// `synchronous=NORMAL`.
pub fn assert_synced(
    before: &Files,
    recording: &Recording,
    answered: &[Answered],
    bodies: &Bodies,
    random: &mut Random,
) {
    let mut lost_by_normal = 0;
    for _ in 0..20 {
        let at = random.one_of(answered).noted;
        let due: Vec<_> = answered.iter().filter(|a| a.noted <= at).copied().collect();
        let mut cut = |syncs| {
            let left = recording.cut(before, at, Unsynced::Gone, syncs, random);
            lost_after_cut(&left, bodies, &due)
        };
        assert_eq!(
            cut(Syncs::All),
            [0; 0],
            "acknowledged before it was on disk"
        );
        lost_by_normal += cut(Syncs::AsNormal).len();
    }
    assert!(lost_by_normal > 0, "the cuts prove nothing");
}

fn lost_after_cut(left: &Files, bodies: &Bodies, due: &[Answered]) -> Vec<i64> {
    let folder = tempfile::tempdir().unwrap();
    put(left, folder.path());
    let database = after_cut(folder.path());
    assert_eq!(integrity(&database), "ok");
    lost(&database, bodies, due)
}

#[test]
fn failed_wal_sync_ends_the_program() {
    alone(async {
        assert_failed_sync_ends_the_program(Synced::Wal, "EIO at a commit").await;
    });
}

#[test]
fn failed_database_sync_ends_the_program() {
    alone(async {
        assert_failed_sync_ends_the_program(Synced::Database, "EIO at a checkpoint").await;
    });
}

/// Fails one sync; every later sync would report success.
async fn assert_failed_sync_ends_the_program(file: Synced, name: &str) {
    let mut random = Random::new(name);
    let folder = tempfile::tempdir().unwrap();
    let before = files(folder.path());
    let shim = Shim::new();
    let mut server = shim.start(folder.path(), &[]);
    let bodies = Arc::new(Bodies::new(Size::Bytes(16 * 1024)));
    let load = Load::start(server.public, 8, &bodies, shim.recorded());
    sleep(Duration::from_millis(300 + random.below(300))).await;
    shim.fail_next_sync(file);
    wait_for(|| shim.has_failed()).await;
    let ended = server.wait();
    let outcome = load.ended().await;
    assert_eq!(ended.code(), Some(1), "{name}");
    server
        .log
        .wait_for(|line| line.contains("cannot be trusted"));

    let recording = shim.recording();
    assert_eq!(recording.failed_syncs(), 1);
    let end = recording.end();
    let left = recording.cut(&before, end, Unsynced::Gone, Syncs::All, &mut random);
    assert_eq!(
        lost_after_cut(&left, &bodies, &outcome.answered),
        [0; 0],
        "{name}"
    );
    println!(
        "{name}: exit code 1, {} acknowledged before it, none lost",
        outcome.answered.len()
    );
    assert_restarts(&left, folder.path()).await;
}

/// Asserts that a server starts and accepts notifications on the files left on the disk.
async fn assert_restarts(left: &Files, folder: &Path) {
    put(left, folder);
    let server = Process::start(folder);
    assert_eq!(get(server.private, "/readyz").await.status, 200);
    assert_eq!(post(server.public, r#"{"goes":"on"}"#).await.status, 200);
}

async fn wait_for(is_met: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_met() {
        assert!(
            Instant::now() < deadline,
            "the condition was not met in {PATIENCE:?}"
        );
        sleep(Duration::from_millis(5)).await;
    }
}
