//! Disk slow and failing: no 200 for what is not on disk, and no going on after a failed sync.

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

/// What a sync takes on the slow disk.
const SLOW: Duration = Duration::from_secs(5);

/// What memory may grow by while the disk is slow.
const GROWTH: u64 = 48 * 1024 * 1024;

/// Room for 32 in the queue, and 128 who would be in it.
const WAITING: (&str, &str) = ("GREEN_INBOX__INGEST__MAX_WAITING", "32");
const MANY: usize = 128;

#[test]
fn a_slow_disk_is_waited_for_and_bounds_what_waits() {
    alone(async {
        let mut random = Random::new("slow disk");
        let folder = tempfile::tempdir().unwrap();
        let before = files(folder.path());
        let shim = Shim::new();
        let mut server = shim.start(folder.path(), &[WAITING]);
        assert_eq!(post(server.public, "{}").await.status, 200);
        let idle = Usage::of(&server, folder.path());

        shim.delay_syncs(Synced::Log, SLOW);
        let bodies = Arc::new(Bodies::new(Size::Bytes(16 * 1024)));
        let load = Load::start(server.public, MANY, &bodies, shim.recorded());
        // Two syncs from their beginning to their end, and the beginning of another.
        let begun = shim.syncs();
        wait_for(|| shim.syncs() >= begun + 3).await;
        assert_eq!(get(server.private, "/readyz").await.status, 200);
        let busy = Usage::of(&server, folder.path());
        shim.delay_syncs(Synced::Log, Duration::ZERO);
        let outcome = load.stop().await;
        println!(
            "syncs of {SLOW:?}: {} answered, the slowest after {:.1?}, {} refused, memory {} and at \
             most {}",
            outcome.answered.len(),
            outcome.slowest,
            outcome.refused,
            mib(idle.memory),
            mib(busy.peak)
        );
        assert!(outcome.refused > 0, "what waits is bounded");
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

/// Cuts the power at the very moment of each answer: it is there. The control is the same with the
/// syncs of `synchronous=NORMAL`.
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
            look(&left, bodies, &due)
        };
        assert_eq!(cut(Syncs::All), [0; 0], "answered before it was on disk");
        lost_by_normal += cut(Syncs::AsNormal).len();
    }
    assert!(lost_by_normal > 0, "the cuts prove nothing");
}

fn look(left: &Files, bodies: &Bodies, due: &[Answered]) -> Vec<i64> {
    let folder = tempfile::tempdir().unwrap();
    put(left, folder.path());
    let database = after_cut(folder.path());
    assert_eq!(integrity(&database), "ok");
    lost(&database, bodies, due)
}

#[test]
fn a_sync_of_the_log_that_fails_ends_the_program() {
    alone(async {
        a_failed_sync_ends_the_program(Synced::Log, "EIO at a commit").await;
    });
}

#[test]
fn a_sync_of_the_database_that_fails_ends_the_program() {
    alone(async {
        a_failed_sync_ends_the_program(Synced::Database, "EIO at a checkpoint").await;
    });
}

/// The failure comes once, and every sync after it would say that all is well.
async fn a_failed_sync_ends_the_program(file: Synced, name: &str) {
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
    assert_eq!(look(&left, &bodies, &outcome.answered), [0; 0], "{name}");
    println!(
        "{name}: exit code 1, {} answered 200 before it, none lost",
        outcome.answered.len()
    );
    goes_on(&left, folder.path()).await;
}

/// The next start takes what the disk really has.
async fn goes_on(left: &Files, folder: &Path) {
    put(left, folder);
    let server = Process::start(folder);
    assert_eq!(get(server.private, "/readyz").await.status, 200);
    assert_eq!(post(server.public, r#"{"goes":"on"}"#).await.status, 200);
}

async fn wait_for(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not come");
        sleep(Duration::from_millis(5)).await;
    }
}
