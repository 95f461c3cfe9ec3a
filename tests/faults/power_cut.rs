//! Power cut: what was written and not synced is gone, or is there in part.
//!
//! The server runs on the shim, which records what it writes and syncs. For each 200 the length of
//! the recording is noted, so that one run gives as many cuts as one likes: after a cut at any
//! later byte of the recording, that notification must be there. Every tenth cut is real in so far
//! as the server is killed and the next goes on with what the cut left.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::rig::bodies::Size;
use crate::rig::database::{Seqs, after_cut, integrity, lost};
use crate::rig::load::{Answered, Outcome};
use crate::rig::recording::{Files, Recording, Syncs, Unsynced, files, put};
use crate::rig::{Bodies, Load, Random, Shim, alone, setting};

const CONNECTIONS: usize = 8;

/// Cuts in the recording of one run.
const CUTS_IN_ONE: u64 = 10;

/// Cuts in the life of one database, which takes longer to look at as it grows.
const CUTS_IN_LIFE: u64 = 50;

/// A run ends when it has recorded up to as many bytes; the log is full at 16 MiB.
const MOST_RECORDED: u64 = 24 * 1024 * 1024;

/// How long a slow machine may take for that.
const LONGEST_RUN: Duration = Duration::from_secs(20);

/// `FAULTS_CUTS` sets how many.
#[test]
fn what_was_answered_outlives_power_cuts() {
    alone(async {
        let cuts = setting("FAULTS_CUTS", 100);
        let mut random = Random::new("power cut");
        let begun = Instant::now();
        let mut found = Found::default();
        for first in (0..cuts).step_by(usize::try_from(CUTS_IN_LIFE).unwrap()) {
            cut_often(CUTS_IN_LIFE.min(cuts - first), &mut random, &mut found).await;
        }
        let Found {
            answered,
            in_checkpoint,
            by_normal,
            cuts_of_normal,
        } = found;
        println!(
            "{cuts} cuts, {in_checkpoint} of them in a checkpoint, {answered} answered 200, none \
             lost; with synchronous=NORMAL {cuts_of_normal} of the same cuts would have lost \
             {by_normal}; {:.1?}",
            begun.elapsed()
        );
        assert!(
            by_normal > 0,
            "the cuts prove nothing: NORMAL outlives them"
        );
    });
}

/// What the cuts showed.
#[derive(Default)]
struct Found {
    answered: usize,
    in_checkpoint: u64,
    /// What would have been lost with NORMAL, in all cuts together.
    by_normal: usize,
    cuts_of_normal: u64,
}

/// The life of one database.
async fn cut_often(cuts: u64, random: &mut Random, found: &mut Found) {
    let live = tempfile::tempdir().unwrap();
    let bodies = Arc::new(Bodies::new(Size::Mixed));
    let mut seqs = Seqs::default();
    let mut answered = Vec::new();
    for first in (0..cuts).step_by(usize::try_from(CUTS_IN_ONE).unwrap()) {
        let run = Run::to_its_kill(&live, &bodies, random).await;
        seqs.add(&run.outcome.answered);
        for _ in 1..CUTS_IN_ONE.min(cuts - first) {
            let at = run.moment(random);
            run.cut(at, &bodies, random, found);
        }
        let left = run.cut(run.recording.end(), &bodies, random, found);
        put(&left, live.path());
        bodies.give_back(&run.outcome.unanswered);
        answered.extend(run.outcome.answered);
        assert_eq!(put_and_look(&left, &bodies, &answered), [0; 0]);
    }
    found.answered += seqs.len();
}

/// A run of the server until it was killed.
struct Run {
    before: Files,
    recording: Recording,
    /// The moments of the recording that are within a checkpoint.
    checkpoint: Vec<u64>,
    outcome: Outcome,
}

impl Run {
    async fn to_its_kill(live: &TempDir, bodies: &Arc<Bodies>, random: &mut Random) -> Self {
        let before = files(live.path());
        let shim = Shim::new();
        let mut server = shim.start(live.path(), &[]);
        let recorded = shim.recorded();
        let load = Load::start(server.public, CONNECTIONS, bodies, recorded.clone());
        let most = recorded() + random.below(MOST_RECORDED);
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
            "something passed the shim by"
        );
        Self {
            before,
            checkpoint: recording.checkpoint_moments(),
            recording,
            outcome,
        }
    }

    /// A moment for a cut: the very moment of an answer, within a checkpoint, or any.
    fn moment(&self, random: &mut Random) -> u64 {
        let answered = &self.outcome.answered;
        match random.below(3) {
            0 if !answered.is_empty() => random.one_of(answered).noted,
            1 if !self.checkpoint.is_empty() => *random.one_of(&self.checkpoint),
            _ => random.below(self.recording.end() + 1),
        }
    }

    /// Cuts, sees that nothing answered is lost, and what would have been with NORMAL.
    fn cut(&self, at: u64, bodies: &Bodies, random: &mut Random, found: &mut Found) -> Files {
        let unsynced = *random.one_of(&[Unsynced::Gone, Unsynced::InOrder, Unsynced::AtRandom]);
        let answered = self.outcome.answered.iter();
        let due: Vec<_> = answered.filter(|one| one.noted <= at).copied().collect();
        let mut cut = |unsynced, syncs| {
            let left = self
                .recording
                .cut(&self.before, at, unsynced, syncs, random);
            let missing = put_and_look(&left, bodies, &due);
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

/// Opens what a cut left, sees that it is sound, and gives the seqs that are lost.
fn put_and_look(left: &Files, bodies: &Bodies, due: &[Answered]) -> Vec<i64> {
    let folder = tempfile::tempdir().unwrap();
    put(left, folder.path());
    let database = after_cut(folder.path());
    assert_eq!(integrity(&database), "ok");
    lost(&database, bodies, due)
}
