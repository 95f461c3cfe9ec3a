//! The thread that derives: what it does next, and how it goes on after damage.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tracing::{error, info, warn};

use super::State;
use super::derived::{Projection, Setback};
use super::file::{self, path_of};
use super::notify::NotifyReceiver;
use super::pace::{Begun, Done};
use crate::store::commits::Commits;
use crate::store::priority::give_way;

/// What is waited after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// How often it is looked whether the file is still as it was left, where there is nothing to derive.
const CLOCK: Duration = Duration::from_millis(500);

/// Behind by so many events, it tells how far it is.
const FAR_BEHIND: i64 = 100_000;

/// The thread.
pub(super) struct Worker {
    pub(super) projection: Projection,
    pub(super) commits: Commits,
    pub(super) receiver: NotifyReceiver,
    pub(super) wanted: Arc<AtomicI64>,
    pub(super) progress: watch::Sender<i64>,
    pub(super) state: Arc<State>,
}

impl Worker {
    /// Derives until no more is committed.
    pub(super) fn run(mut self) {
        give_way();
        let behind = self.commits.newest() - self.projection.seq;
        if behind > FAR_BEHIND {
            info!(
                events = behind,
                "deriving messages, chats and calls from {behind} events; lists wait for it"
            );
        }
        let mut told = behind <= FAR_BEHIND;
        loop {
            let stopped = self.commits.is_stopped();
            if let Err(problem) = self.look() {
                if self.heal(&problem).is_err() {
                    return;
                }
                told = false;
            } else if self.commits.newest() > self.projection.seq {
                let (derived, newest) = self.last();
                let begun = Begun::new(Instant::now(), derived, newest);
                match self.projection.advance() {
                    Ok(_) => {
                        if self.projection.damaged > 0 {
                            let damaged = self.projection.damaged;
                            let told = format!("{damaged} events are passed over in lists");
                            self.state.tell_events_damaged(&told);
                        }
                        self.progress.send_replace(self.projection.seq);
                        let (derived, newest) = self.last();
                        self.gather(begun.done(Instant::now(), derived, newest));
                    }
                    Err(Setback::Lost(problem)) => {
                        if self.heal(&problem).is_err() {
                            return;
                        }
                        told = false;
                    }
                    Err(Setback::Passing(failure)) => {
                        warn!(%failure, "what is derived from the events is behind; trying again");
                        if stopped {
                            return;
                        }
                        thread::sleep(PAUSE);
                    }
                }
            } else if stopped {
                return;
            } else {
                self.state.is_rebuilding.store(false, Ordering::SeqCst);
                if !told {
                    told = true;
                    info!("messages, chats and calls are derived up to the newest event");
                }
                // Where nobody is left to wake it, the writer has ended.
                let woken = self.receiver.wait(CLOCK);
                if woken == Err(RecvTimeoutError::Disconnected) && !self.commits.is_stopped() {
                    return;
                }
            }
        }
    }

    /// Whether the file can go on to be used.
    fn look(&self) -> Result<(), String> {
        if self.state.is_damaged.swap(false, Ordering::SeqCst) {
            return Err("its structure is damaged".to_owned());
        }
        if self.state.is_suspect.swap(false, Ordering::SeqCst) {
            file::check(&self.projection.source.database)?;
            // It is whole, so what the reader met is in the events.
            self.state
                .tell_events_damaged(&"a list met a page that cannot be read");
        }
        match self.projection.check_untouched() {
            Err(Setback::Lost(problem)) => Err(problem),
            Err(Setback::Passing(_)) | Ok(()) => Ok(()),
        }
    }

    /// Makes the file anew, however long that takes.
    ///
    /// # Errors
    ///
    /// The program stops.
    fn heal(&mut self, problem: &str) -> Result<(), ()> {
        let path = path_of(&self.projection.source.database);
        error!(
            problem,
            "`{}` cannot be used: {problem}; it is set aside, and messages, chats and calls are \
             derived anew; events are not affected",
            path.display()
        );
        self.state.is_rebuilding.store(true, Ordering::SeqCst);
        self.progress.send_replace(0);
        let mut is_told = false;
        while let Err(failure) = self.projection.replace() {
            if self.commits.is_stopped() {
                return Err(());
            }
            if !is_told {
                is_told = true;
                error!(
                    %failure,
                    "what is derived from the events cannot be made anew: {failure}\n  help: make \
                     the folder writable for the user that runs the program; it is tried again \
                     each second"
                );
            }
            thread::sleep(PAUSE);
        }
        self.state.generation.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// The last event that is derived and the last one that is committed.
    fn last(&self) -> (i64, i64) {
        (self.projection.seq, self.commits.newest())
    }

    /// Lets events gather until the next slice is due, somebody waits, or no more will come.
    fn gather(&self, done: Done) {
        self.receiver.set_gathering(true);
        while self.wanted.load(Ordering::Relaxed) <= self.projection.seq
            && !self.commits.is_stopped()
        {
            let left = done
                .next(self.commits.newest())
                .saturating_duration_since(Instant::now());
            if left.is_zero() || self.receiver.wait(left) == Err(RecvTimeoutError::Timeout) {
                break;
            }
        }
        // What is committed from here on calls; what was before, is seen by who looks after this.
        self.receiver.set_gathering(false);
    }
}
