//! Power cut: unsynced writes are lost, or reach the disk only in part.
//!
//! The server runs on the shim, which records its writes and syncs. For each 200 the test notes the
//! length of the recording, so that one run allows any number of cuts: after a cut at any later
//! byte, that notification must be on disk. At every tenth cut the server is really killed, and the
//! next server starts from the files that the cut left.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::rig::bodies::Size;
use crate::rig::database::{Seqs, after_cut, integrity, lost};
use crate::rig::load::{Answered, Outcome};
use crate::rig::old_events::{self, RETENTION};
use crate::rig::recording::{Files, Recording, Syncs, Unsynced, files, put};
use crate::rig::{Bodies, Load, Random, Shim, alone, setting};

const CONNECTIONS: usize = 8;

/// Cuts per run of the server.
const CUTS_PER_RUN: u64 = 10;

/// Cuts per database. Checking the database takes longer as it grows.
const CUTS_PER_DATABASE: u64 = 50;

/// Bytes recorded before a run ends, at most. The WAL is checkpointed at 16 MiB.
const MAX_RECORDED: u64 = 24 * 1024 * 1024;

/// Longest run on a slow machine.
const LONGEST_RUN: Duration = Duration::from_secs(20);

/// `FAULTS_CUTS` sets the number of cuts: 100 by default.
#[test]
fn acknowledged_events_survive_power_cuts() {
    alone(async {
        let cuts = setting("FAULTS_CUTS", 100);
        let mut random = Random::new("power cut");
        let started = Instant::now();
        let mut found = Found::default();
        for first in (0..cuts).step_by(usize::try_from(CUTS_PER_DATABASE).unwrap()) {
            cut_repeatedly(CUTS_PER_DATABASE.min(cuts - first), &mut random, &mut found).await;
        }
        let Found {
            answered,
            in_checkpoint,
            by_normal,
            cuts_of_normal,
        } = found;
        println!(
            "{cuts} cuts, {in_checkpoint} of them in a checkpoint, {answered} acknowledged, none \
             lost; with synchronous=NORMAL {cuts_of_normal} of the same cuts would have lost \
             {by_normal}; {:.1?}",
            started.elapsed()
        );
        assert!(
            by_normal > 0,
            "the cuts prove nothing: NORMAL survives them"
        );
    });
}

/// The findings of all cuts.
#[derive(Default)]
struct Found {
    answered: usize,
    in_checkpoint: u64,
    /// Events that would have been lost with NORMAL, over all cuts.
    by_normal: usize,
    cuts_of_normal: u64,
}

/// Runs a server on one database again and again, and cuts its power `cuts` times.
async fn cut_repeatedly(cuts: u64, random: &mut Random, found: &mut Found) {
    let live = old_events::folder().await;
    let bodies = Arc::new(Bodies::new(Size::Mixed));
    let mut seqs = Seqs::default();
    let mut answered = Vec::new();
    for first in (0..cuts).step_by(usize::try_from(CUTS_PER_RUN).unwrap()) {
        let run = Run::until_killed(&live, &bodies, random).await;
        seqs.add(&run.outcome.answered);
        for _ in 1..CUTS_PER_RUN.min(cuts - first) {
            let at = run.moment(random);
            run.cut(at, &bodies, random, found);
        }
        let left = run.cut(run.recording.end(), &bodies, random, found);
        put(&left, live.path());
        bodies.give_back(&run.outcome.unanswered);
        answered.extend(run.outcome.answered);
        assert_eq!(lost_after_cut(&left, &bodies, &answered), [0; 0]);
    }
    found.answered += seqs.len();
    old_events::assert_deleted(live.path());
}

/// One run of the server, ended by a kill.
struct Run {
    before: Files,
    recording: Recording,
    /// Recording offsets within a checkpoint.
    checkpoint: Vec<u64>,
    outcome: Outcome,
}

impl Run {
    async fn until_killed(live: &TempDir, bodies: &Arc<Bodies>, random: &mut Random) -> Self {
        let before = files(live.path());
        let shim = Shim::new();
        let mut server = shim.start(live.path(), &[RETENTION]);
        let recorded = shim.recorded();
        let load = Load::start(server.public, CONNECTIONS, bodies, recorded.clone());
        let most = recorded() + random.below(MAX_RECORDED);
        let deadline = Instant::now() + LONGEST_RUN;
        while recorded() < most && Instant::now() < deadline {
            sleep(Duration::from_millis(1)).await;
        }
        server.child.kill().unwrap();
        server.wait();
        let outcome = load.ended().await;
        let recording = shim.recording();
        assert!(
            recording.is_of(&before, &files(live.path())),
            "a file operation bypassed the shim"
        );
        Self {
            before,
            checkpoint: recording.checkpoint_moments(),
            recording,
            outcome,
        }
    }

    /// A random moment for a cut: right at an acknowledgement, within a checkpoint, or anywhere.
    fn moment(&self, random: &mut Random) -> u64 {
        let answered = &self.outcome.answered;
        match random.below(3) {
            0 if !answered.is_empty() => random.one_of(answered).noted,
            1 if !self.checkpoint.is_empty() => *random.one_of(&self.checkpoint),
            _ => random.below(self.recording.end() + 1),
        }
    }

    /// Cuts the power, asserts that nothing acknowledged is lost, and counts what NORMAL would have
    /// lost.
    fn cut(&self, at: u64, bodies: &Bodies, random: &mut Random, found: &mut Found) -> Files {
        let unsynced = *random.one_of(&[Unsynced::Gone, Unsynced::InOrder, Unsynced::AtRandom]);
        let answered = self.outcome.answered.iter();
        let due: Vec<_> = answered.filter(|one| one.noted <= at).copied().collect();
        let mut cut = |unsynced, syncs| {
            let left = self
                .recording
                .cut(&self.before, at, unsynced, syncs, random);
            let missing = lost_after_cut(&left, bodies, &due);
            (left, missing)
        };
        let (left, missing) = cut(unsynced, Syncs::All);
        assert!(
            missing.is_empty(),
            "a cut at {at} of {}, unsynced {unsynced:?}, lost {missing:?}",
            self.recording.end()
        );
        let (_, by_normal) = cut(Unsynced::Gone, Syncs::AsNormal);
        found.in_checkpoint += u64::from(self.checkpoint.binary_search(&at).is_ok());
        found.by_normal += by_normal.len();
        found.cuts_of_normal += u64::from(!by_normal.is_empty());
        left
    }
}

/// Opens the files that a cut left, asserts their integrity, and returns the lost seqs.
fn lost_after_cut(left: &Files, bodies: &Bodies, due: &[Answered]) -> Vec<i64> {
    let folder = tempfile::tempdir().unwrap();
    put(left, folder.path());
    let database = after_cut(folder.path());
    assert_eq!(integrity(&database), "ok");
    lost(&database, bodies, due)
}
