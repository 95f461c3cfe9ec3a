//! The projection thread: its main loop, and how it recovers from damage.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tracing::{error, info, warn};

use super::State;
use super::derived::{AdvanceError, Projection};
use super::file::{self, path_of};
use super::notify::NotifyReceiver;
use super::pace::{FinishedSlice, RunningSlice};
use crate::store::commits::Commits;
use crate::store::error::OpenError;
use crate::store::priority::give_way;

/// Pause before retrying after a failure.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// How often an idle thread checks whether another program has changed the file.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Lag in events at start; beyond it the thread logs when it starts and when it has caught up.
const LARGE_LAG: i64 = 100_000;

/// The state of the thread.
pub(super) struct Worker {
    pub(super) projection: Projection,
    pub(super) commits: Commits,
    pub(super) receiver: NotifyReceiver,
    pub(super) wanted: Arc<AtomicI64>,
    pub(super) progress: watch::Sender<i64>,
    /// The last event to forget.
    pub(super) to_forget: Arc<AtomicI64>,
    pub(super) forgotten: watch::Sender<i64>,
    /// Whether the last slice forgot events, so that newer events are next.
    pub(super) has_forgotten: bool,
    /// The last slice, while events accumulate for the next one.
    pub(super) gathering: Option<FinishedSlice>,
    pub(super) state: Arc<State>,
}

impl Worker {
    /// Projects events until the writer has stopped and everything is projected.
    pub(super) fn run(mut self) {
        give_way();
        let lag = self.commits.newest() - self.projection.seq;
        if lag > LARGE_LAG {
            info!(
                events = lag,
                "projecting {lag} events into messages, chats and calls; lists wait until this is done"
            );
        }
        let mut is_caught_up_logged = lag <= LARGE_LAG;
        loop {
            let stopped = self.commits.is_stopped();
            let mut failed = None;
            if self.state.is_of_old_epoch() {
                if self.derive_again().is_err() {
                    return;
                }
                is_caught_up_logged = false;
            } else if let Err(problem) = self.check() {
                failed = Some(AdvanceError::Lost(problem));
            } else if self.projection.is_budget_new() {
                if let Err(AdvanceError::Transient(failure)) = self.projection.refit() {
                    log_retry(&failure);
                }
            } else if let Some(last) = self.next_to_forget() {
                failed = self.forget(last).err();
            } else if let Some(finished) = self.gathering {
                self.gather(finished);
            } else if self.commits.newest() > self.projection.seq {
                failed = self.advance().err();
            } else if stopped {
                return;
            } else {
                self.state.is_rebuilding.store(false, Ordering::SeqCst);
                if !is_caught_up_logged {
                    is_caught_up_logged = true;
                    info!("messages, chats and calls are up to date with the newest event");
                }
                // A disconnected channel means that every notifier, and so the writer, is gone.
                let woken = self.receiver.wait(CHECK_INTERVAL);
                if woken == Err(RecvTimeoutError::Disconnected) && !self.commits.is_stopped() {
                    return;
                }
            }
            match failed {
                None => {}
                Some(AdvanceError::Lost(problem)) => {
                    if self.rebuild(&problem).is_err() {
                        return;
                    }
                    is_caught_up_logged = false;
                }
                Some(AdvanceError::Transient(failure)) => {
                    log_retry(&failure);
                    if stopped {
                        return;
                    }
                    thread::sleep(RETRY_PAUSE);
                }
            }
        }
    }

    /// Forgets the oldest events, up to the seq `last`.
    fn forget(&mut self, last: i64) -> Result<(), AdvanceError> {
        self.has_forgotten = true;
        self.projection.forget(last)?;
        self.publish_free_bytes();
        self.forgotten.send_replace(self.projection.forgotten);
        Ok(())
    }

    /// Projects a slice of events.
    fn advance(&mut self) -> Result<(), AdvanceError> {
        self.has_forgotten = false;
        let (derived, newest) = self.last();
        let running = RunningSlice::new(Instant::now(), derived, newest);
        self.projection.advance()?;
        if self.projection.damaged > 0 {
            let damaged = self.projection.damaged;
            let problem = format!("{damaged} events are skipped in lists");
            self.state.report_events_damaged(&problem);
        }
        self.publish_free_bytes();
        self.progress.send_replace(self.projection.seq);
        let (derived, newest) = self.last();
        self.gathering = Some(running.done(Instant::now(), derived, newest));
        Ok(())
    }

    fn publish_free_bytes(&self) {
        let free = self.projection.free_bytes();
        self.state.free_bytes.store(free, Ordering::Relaxed);
    }

    /// The last event to forget, if events are to be forgotten now: while newer events accumulate, or else in turn with
    /// projecting them.
    fn next_to_forget(&self) -> Option<i64> {
        let projected = self.projection.seq;
        let last = self.to_forget.load(Ordering::SeqCst).min(projected);
        let is_turn =
            self.gathering.is_some() || !self.has_forgotten || self.commits.newest() <= projected;
        (last > self.projection.forgotten && is_turn && !self.commits.is_stopped()).then_some(last)
    }

    /// Checks whether the file is still usable.
    fn check(&self) -> Result<(), String> {
        if self.state.is_damaged.swap(false, Ordering::SeqCst) {
            return Err("its structure is damaged".to_owned());
        }
        if self.state.is_suspect.swap(false, Ordering::SeqCst) {
            file::check(&self.projection.source.database)?;
            // The projection is intact, so the damage that the reader hit is in the events.
            self.state
                .report_events_damaged(&"a list hit an unreadable page");
        }
        match self.projection.check_untouched() {
            Err(AdvanceError::Lost(problem)) => Err(problem),
            Err(AdvanceError::Transient(_)) | Ok(()) => Ok(()),
        }
    }

    /// Rebuilds the file, retrying for as long as it takes.
    ///
    /// # Errors
    ///
    /// The program is stopping.
    fn rebuild(&mut self, problem: &str) -> Result<(), ()> {
        let path = path_of(&self.projection.source.database);
        error!(
            problem,
            "`{}` cannot be used: {problem}; the file is kept as `*.damaged`, and messages, chats and \
             calls are rebuilt from the events, which are not affected",
            path.display()
        );
        self.state.is_rebuilding.store(true, Ordering::SeqCst);
        self.progress.send_replace(0);
        self.create(Projection::replace)
    }

    /// Creates the file of a new epoch.
    ///
    /// # Errors
    ///
    /// The program is stopping.
    fn derive_again(&mut self) -> Result<(), ()> {
        info!(
            "the stored events were parsed again: messages, chats and calls are derived again, and lists wait until \
             this is done"
        );
        self.state.is_rebuilding.store(true, Ordering::SeqCst);
        self.progress.send_replace(0);
        // The name is read after the number of renewals: if it is newer, the file is created once more.
        let renewals = self.state.epoch.renewals();
        let epoch = self.state.epoch.name();
        let created = self.create(|projection| projection.begin_epoch(&epoch));
        self.gathering = None;
        self.state.renewals.store(renewals, Ordering::SeqCst);
        // Wakes those who wait for an event that the new file already has, because it is forgotten.
        self.progress.send_replace(self.projection.seq);
        created
    }

    /// Creates the file with `create`, retrying for as long as it takes.
    fn create(
        &mut self,
        create: impl Fn(&mut Projection) -> Result<(), OpenError>,
    ) -> Result<(), ()> {
        let mut is_failure_logged = false;
        while let Err(failure) = create(&mut self.projection) {
            if self.commits.is_stopped() {
                return Err(());
            }
            if !is_failure_logged {
                is_failure_logged = true;
                error!(
                    %failure,
                    "the projection cannot be rebuilt: {failure}\n  help: make the folder writable for \
                     the user that runs the program; the program retries every second"
                );
            }
            thread::sleep(RETRY_PAUSE);
        }
        // A reader may have missed the file while there was none.
        self.state.is_suspect.store(false, Ordering::SeqCst);
        self.state.generation.fetch_add(1, Ordering::SeqCst);
        self.progress.send_replace(self.projection.seq);
        Ok(())
    }

    /// The last projected event and the last committed one.
    fn last(&self) -> (i64, i64) {
        (self.projection.seq, self.commits.newest())
    }

    /// Lets events accumulate until the next slice is due, a caller waits for one, or no more will
    /// arrive. Returns early if there are events to forget.
    fn gather(&mut self, finished: FinishedSlice) {
        self.receiver.set_gathering(true);
        while self.next_to_forget().is_none() {
            let is_wanted = self.wanted.load(Ordering::Relaxed) > self.projection.seq;
            let left = finished
                .next(self.commits.newest())
                .saturating_duration_since(Instant::now());
            if is_wanted
                || self.commits.is_stopped()
                || left.is_zero()
                || self.receiver.wait(left) == Err(RecvTimeoutError::Timeout)
            {
                self.gathering = None;
                break;
            }
        }
        // From here on, commits wake the thread again. The main loop checks for earlier commits
        // next.
        self.receiver.set_gathering(false);
    }
}

fn log_retry(failure: &rusqlite::Error) {
    warn!(%failure, "the projection could not advance: {failure}; retrying");
}
