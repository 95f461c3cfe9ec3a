//! What is shown and logged about a destination.

use tracing::{info, warn};

use crate::clock::UnixMillis;
use crate::model::{ForwardState, ForwardStatus, Forwards};
use crate::store::ForwardCounts;

/// Milliseconds between two reads of the oldest waiting event.
const INTERVAL: i64 = 5_000;

/// Milliseconds between two log lines about deleted events.
const LOG_INTERVAL: i64 = 60 * 60 * 1000;

/// Publishes the status of a destination.
pub(super) struct Report {
    forwards: Forwards,
    index: usize,
    status: Option<ForwardStatus>,
    oldest: Option<UnixMillis>,
    looked_at: i64,
}

impl Report {
    pub(super) fn new(forwards: Forwards, index: usize) -> Self {
        let status = forwards.current().into_iter().nth(index);
        Self {
            forwards,
            index,
            status,
            oldest: None,
            looked_at: i64::MIN,
        }
    }

    /// Notes the number of dead letters, and when the newest became one.
    pub(super) fn dead(&mut self, (count, newest): (i64, Option<UnixMillis>)) {
        if let Some(status) = &mut self.status {
            status.dead = count.unsigned_abs();
            status.last_dead_at = newest;
        }
    }

    /// Notes the events that were deleted before they were delivered, as they are saved.
    pub(super) fn expired_before(&mut self, (events, last): (i64, Option<UnixMillis>)) {
        if let Some(status) = &mut self.status {
            status.expired = events.unsigned_abs();
            status.last_expired_at = last;
        }
    }

    /// Notes that events were deleted before they were delivered. It is logged once an hour.
    pub(super) fn expired(&mut self, now: UnixMillis, name: &str, events: i64) {
        let Some(status) = &mut self.status else {
            return;
        };
        status.expired = status.expired.saturating_add(events.unsigned_abs());
        let last = status.last_expired_at.replace(now);
        if last.is_none_or(|last| !(0..LOG_INTERVAL).contains(&(now.0 - last.0))) {
            warn!(
                events,
                "retention deleted {events} events before the destination `{name}` had got them\n  help: correct the \
                 destination, or keep events for longer (storage.retention_days, storage.max_bytes); \
                 /api/v1/forward counts all of them"
            );
        }
    }

    /// Notes a delivery.
    pub(super) fn delivered(&mut self, now: UnixMillis, name: &str) {
        let Some(status) = &mut self.status else {
            return;
        };
        status.last_delivered_at = Some(now);
        if status.failing_since.take().is_some() {
            info!("the destination `{name}` takes events again");
        }
    }

    /// Notes a failed attempt. Only the first one in a row is logged.
    pub(super) fn failed(&mut self, now: UnixMillis, name: &str, problem: &str) {
        let Some(status) = &mut self.status else {
            return;
        };
        status.problem = Some(problem.to_owned());
        if status.failing_since.is_none() {
            status.failing_since = Some(now);
            warn!("the destination `{name}` did not take an event, which is sent again: {problem}");
        }
    }

    /// Notes a dead letter.
    pub(super) fn died(&mut self, now: UnixMillis, name: &str, seq: i64, problem: &str) {
        if let Some(status) = &mut self.status {
            status.dead += 1;
            status.last_dead_at = Some(now);
        }
        warn!(
            seq,
            "event {seq} is a dead letter of the destination `{name}`: {problem}\n  help: see \
             /api/v1/forward/{name}/dead, and send it again with `green-inbox replay --to {name} --dead`"
        );
    }

    /// Whether the oldest waiting event should be read again.
    pub(super) fn is_due(&mut self, now: UnixMillis) -> bool {
        let passed = now.0.saturating_sub(self.looked_at);
        let is_due = !(0..INTERVAL).contains(&passed);
        if is_due {
            self.looked_at = now.0;
        }
        is_due
    }

    /// Notes since when the oldest waiting event waits.
    pub(super) fn oldest(&mut self, oldest: Option<UnixMillis>) {
        self.oldest = oldest;
    }

    /// Since when the oldest waiting event waits.
    pub(super) fn oldest_saved(&self) -> Option<UnixMillis> {
        self.oldest
    }

    /// Publishes that this node does not deliver, and what the others have saved, if that is known.
    pub(super) fn elsewhere(&mut self, counts: Option<&ForwardCounts>) {
        if let Some(counts) = counts {
            self.dead(counts.dead);
            self.expired_before(counts.expired);
        }
        let Some(status) = &mut self.status else {
            return;
        };
        status.state = ForwardState::Elsewhere;
        if let Some(counts) = counts {
            status.position = counts.position.unwrap_or(0);
            status.waiting = counts.waiting;
        }
        status.backlog_seconds = 0.0;
        (status.failing_since, status.problem) = (None, None);
        self.forwards.publish(self.index, status.clone());
    }

    /// Publishes the status.
    pub(super) fn publish(
        &mut self,
        state: ForwardState,
        position: i64,
        waiting: u64,
        oldest: Option<UnixMillis>,
        now: UnixMillis,
    ) {
        let Some(status) = &mut self.status else {
            return;
        };
        status.state = state;
        status.position = position;
        status.waiting = waiting;
        let millis = oldest.map_or(0, |since| now.0.saturating_sub(since.0).max(0));
        let tenths = i32::try_from(millis / 100).unwrap_or(i32::MAX);
        status.backlog_seconds = f64::from(tenths) / 10.0;
        self.forwards.publish(self.index, status.clone());
    }
}
