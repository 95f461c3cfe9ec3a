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
            if let Err(problem) = self.check() {
                if self.rebuild(&problem).is_err() {
                    return;
                }
                is_caught_up_logged = false;
            } else if self.commits.newest() > self.projection.seq {
                let (derived, newest) = self.last();
                let running = RunningSlice::new(Instant::now(), derived, newest);
                match self.projection.advance() {
                    Ok(_) => {
                        if self.projection.damaged > 0 {
                            let damaged = self.projection.damaged;
                            let problem = format!("{damaged} events are skipped in lists");
                            self.state.report_events_damaged(&problem);
                        }
                        self.progress.send_replace(self.projection.seq);
                        let (derived, newest) = self.last();
                        self.gather(running.done(Instant::now(), derived, newest));
                    }
                    Err(AdvanceError::Lost(problem)) => {
                        if self.rebuild(&problem).is_err() {
                            return;
                        }
                        is_caught_up_logged = false;
                    }
                    Err(AdvanceError::Transient(failure)) => {
                        warn!(%failure, "the projection could not advance: {failure}; retrying");
                        if stopped {
                            return;
                        }
                        thread::sleep(RETRY_PAUSE);
                    }
                }
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
        }
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
        let mut is_failure_logged = false;
        while let Err(failure) = self.projection.replace() {
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
        self.state.generation.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// The last projected event and the last committed one.
    fn last(&self) -> (i64, i64) {
        (self.projection.seq, self.commits.newest())
    }

    /// Lets events accumulate until the next slice is due, a caller waits for one, or no more will
    /// arrive.
    fn gather(&self, finished: FinishedSlice) {
        self.receiver.set_gathering(true);
        while self.wanted.load(Ordering::Relaxed) <= self.projection.seq
            && !self.commits.is_stopped()
        {
            let left = finished
                .next(self.commits.newest())
                .saturating_duration_since(Instant::now());
            if left.is_zero() || self.receiver.wait(left) == Err(RecvTimeoutError::Timeout) {
                break;
            }
        }
        // From here on, commits wake the thread again. The main loop checks for earlier commits
        // next.
        self.receiver.set_gathering(false);
    }
}
