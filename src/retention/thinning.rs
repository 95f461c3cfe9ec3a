//! Removes the thumbnails of events that are older than `storage.strip_thumbnails_days`, a step at a time.

use std::io;

use tracing::{error, info};

use super::marks::Marks;
use super::{BATCH, LOG_INTERVAL};
use crate::clock::{Clock, UnixMillis};
use crate::metrics::Metrics;
use crate::store::Space;

/// Milliseconds between two looks for events that have become old enough, so that a step has many of them.
const PAUSE: i64 = 60 * 1000;

/// How far thinning is.
#[derive(Debug, Default)]
pub(super) struct Thinning {
    /// When it goes on. `None`: at once.
    due: Option<UnixMillis>,
    /// Events and bytes since the last log line.
    unlogged: (u64, u64),
    logged: Option<UnixMillis>,
    failure_logged: Option<UnixMillis>,
}

impl Thinning {
    /// Makes it go on at once, as after a change of the settings.
    pub(super) fn resume(&mut self) {
        self.due = None;
    }

    /// Runs one step if one is due. Returns whether more is to be done at once.
    pub(super) async fn turn(
        &mut self,
        space: &Space,
        marks: &Marks,
        clock: &Clock,
        metrics: &Metrics,
    ) -> bool {
        let now = clock.now();
        // A clock that was set back does not hold it up.
        let is_due = self
            .due
            .is_none_or(|due| now >= due || due.0 - now.0 > PAUSE);
        if !marks.thin() || !is_due {
            return false;
        }
        match self.step(space, marks, now, metrics).await {
            Ok(true) => return true,
            Ok(false) => {
                self.failure_logged = None;
                self.log(now);
            }
            Err(failure) if is_due_again(self.failure_logged, now) => {
                self.failure_logged = Some(now);
                error!(
                    %failure,
                    "the thumbnails of old events cannot be removed: {failure}\n  help: look for earlier errors of the \
                     database; thinning tries again"
                );
            }
            Err(_) => {}
        }
        self.due = Some(UnixMillis(now.0 + PAUSE));
        false
    }

    async fn step(
        &mut self,
        space: &Space,
        marks: &Marks,
        now: UnixMillis,
        metrics: &Metrics,
    ) -> io::Result<bool> {
        let oldest = space.unthinned(BATCH).await?;
        let Some(through) = marks.last_to_thin(&oldest, now.0) else {
            return Ok(false);
        };
        let thinned = space.thin(through).await?;
        metrics.thinned(thinned.events, thinned.bytes);
        self.unlogged.0 += thinned.events;
        self.unlogged.1 += thinned.bytes;
        Ok(true)
    }

    /// Logs what was removed, at most once an hour.
    fn log(&mut self, now: UnixMillis) {
        let (events, bytes) = self.unlogged;
        if events > 0 && is_due_again(self.logged, now) {
            self.logged = Some(now);
            self.unlogged = (0, 0);
            info!(
                events,
                bytes, "removed the thumbnails of {events} old events, {bytes} bytes"
            );
        }
    }
}

/// Whether a line that was logged at some time is logged again.
fn is_due_again(logged: Option<UnixMillis>, now: UnixMillis) -> bool {
    logged.is_none_or(|logged| now.0 - logged.0 >= LOG_INTERVAL)
}
