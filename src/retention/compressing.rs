//! Compresses bodies that are stored as they were received, a step at a time, while little arrives.

use std::io;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{error, info};

use super::LOG_INTERVAL;
use crate::clock::{Clock, UnixMillis};
use crate::store::Space;

/// Notifications per second above which nothing is compressed: they need the CPU and the writer.
const CALM: f64 = 1000.0;

/// Time over which arrivals are counted.
const WINDOW: Duration = Duration::from_millis(200);

/// Pause after a failed step.
const RETRY: Duration = Duration::from_hours(1);

/// How compressing goes.
#[derive(Debug)]
pub(super) struct Compressing {
    is_on: bool,
    /// The newest seq at some time, and whether little arrived before it.
    newest: i64,
    counted: Instant,
    is_calm: bool,
    /// Events, bytes before and bytes after, since the last log line.
    unlogged: (u64, u64, u64),
    logged: Option<UnixMillis>,
    /// When a failed step is tried again.
    due: Option<Instant>,
}

impl Compressing {
    pub(super) fn new(is_on: bool, newest: i64) -> Self {
        Self {
            is_on,
            newest,
            counted: Instant::now(),
            is_calm: false,
            unlogged: (0, 0, 0),
            logged: None,
            due: None,
        }
    }

    /// Goes on with a changed setting.
    pub(super) fn set(&mut self, is_on: bool) {
        self.is_on = is_on;
    }

    /// Runs one step if there is time for it. Returns whether more is to be done at once.
    pub(super) async fn turn(&mut self, space: &mut Space, clock: &Clock) -> bool {
        self.count(space.newest());
        let is_due = self.due.is_none_or(|due| Instant::now() >= due);
        if !self.is_on || !self.is_calm || !is_due || !space.is_caught_up() {
            return false;
        }
        self.due = None;
        match self.step(space).await {
            Ok(true) => true,
            Ok(false) => {
                self.log(clock.now());
                false
            }
            Err(failure) => {
                self.due = Some(Instant::now() + RETRY);
                error!(
                    %failure,
                    "stored bodies cannot be compressed: {failure}\n  help: look for earlier errors of the database; \
                     they stay as they are, and compressing is tried again every hour"
                );
                false
            }
        }
    }

    /// Finds out whether little arrives.
    fn count(&mut self, newest: i64) {
        let passed = self.counted.elapsed();
        if passed < WINDOW {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
        let arrived = newest.saturating_sub(self.newest) as f64;
        self.is_calm = arrived <= CALM * passed.as_secs_f64();
        self.newest = newest;
        self.counted = Instant::now();
    }

    async fn step(&mut self, space: &mut Space) -> io::Result<bool> {
        let Some(compressed) = space.compress().await? else {
            return Ok(false);
        };
        self.unlogged.0 += compressed.events;
        self.unlogged.1 += compressed.before;
        self.unlogged.2 += compressed.after;
        Ok(true)
    }

    /// Logs what was compressed, at most once an hour.
    fn log(&mut self, now: UnixMillis) {
        let (events, before, after) = self.unlogged;
        let is_due = self
            .logged
            .is_none_or(|logged| now.0 - logged.0 >= LOG_INTERVAL);
        if events > 0 && is_due {
            self.logged = Some(now);
            self.unlogged = (0, 0, 0);
            info!(
                events,
                before, after, "compressed {events} stored bodies, from {before} to {after} bytes"
            );
        }
    }
}
