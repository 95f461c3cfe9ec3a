//! The attempts of a destination: how many may be made, which are next, and what follows from each.

use std::sync::Arc;

use tokio::task::JoinSet;
use tracing::warn;

use super::{Ended, PAUSE, Task};
use crate::clock::UnixMillis;
use crate::forward::attempt::{Failure, Verdict};
use crate::forward::queue::{Item, Kind};
use crate::store::Term;

/// Events of a lane that are loaded from the table at once.
const RUN: u32 = 16;

/// Problem of an event that is damaged on disk.
const DAMAGED: &str = "its stored bytes are damaged";

impl Task {
    /// Attempts that may be made now in addition to those in flight.
    fn room(&self, in_flight: usize) -> usize {
        let now = self.sources.clock.now();
        if self.is_disabled || !self.breaker.allows(now, in_flight) {
            return 0;
        }
        let allowed = self.throttle.allowed(now);
        let allowed = if self.breaker.is_open() {
            allowed.min(1)
        } else {
            allowed
        };
        allowed.saturating_sub(in_flight).min(self.pace.left())
    }

    /// Whether events that are read now can be sent soon. While the breaker is open only the event of a probe
    /// can: the others would get rows, each of them a write that the notifications wait for.
    pub(super) fn wants_events(&self, in_flight: usize) -> bool {
        let is_probe_missing = || {
            let now = self.sources.clock.now();
            !self.queue.has_ready() && self.breaker.allows(now, in_flight)
        };
        !self.is_disabled && (!self.breaker.is_open() || is_probe_missing())
    }

    /// Loads lanes from the table that are due, as many as can be sent.
    pub(super) async fn load_due(&mut self, in_flight: usize) {
        let room = self.room(in_flight);
        let wanted = room.saturating_sub(self.queue.ready_saved());
        if !self.look_at_table || !self.queue.has_rows() || wanted == 0 {
            return;
        }
        let now = self.sources.clock.now();
        let limit = u32::try_from(wanted + self.queue.occupied()).unwrap_or(u32::MAX);
        let times = (now, self.schedule.latest(now));
        let name = &self.settings.name;
        self.look_at_table = false;
        let Ok(due) = self.sources.store.due(name, times, limit).await else {
            return;
        };
        let loadable = due
            .into_iter()
            .filter(|first| self.queue.can_load(first.lane));
        for first in loadable.take(wanted).collect::<Vec<_>>() {
            let behind = (first.lane, first.seq);
            let Ok(rest) = self.sources.store.lane(name, behind, RUN - 1).await else {
                return;
            };
            // Only the first has failed. One behind it that has failed too waits for its own time.
            let rest = rest.into_iter().take_while(|event| event.attempts == 0);
            self.queue.load(std::iter::once(first).chain(rest));
        }
    }

    /// Makes as many attempts as are allowed. The table has at most half of them while there are new events.
    pub(super) async fn dispatch(&mut self, attempts: &mut JoinSet<Ended>, term: &Term) {
        let mut saved = 0;
        let mut taken = Vec::new();
        while self.room(attempts.len() + taken.len()) > 0 {
            let half = self.throttle.allowed(self.sources.clock.now()).div_ceil(2);
            let preferred = if saved < half { Kind::Saved } else { Kind::New };
            let Some((item, kind)) = self.queue.take(preferred) else {
                break;
            };
            saved += usize::from(kind == Kind::Saved);
            self.pace.begin();
            taken.push((item, kind));
        }
        let seqs: Vec<_> = taken.iter().map(|(item, _)| item.event.seq).collect();
        let mut bodies = self.target.bodies(&seqs).await;
        for (item, kind) in taken {
            let (target, seq) = (Arc::clone(&self.target), item.event.seq);
            let body = bodies.remove(&seq);
            let term = term.clone();
            attempts.spawn(async move {
                // Without the lease another node sends the event.
                let verdict = term.guard(target.attempt(seq, body)).await;
                (item, kind, verdict.unwrap_or(Verdict::Unread))
            });
        }
    }

    /// Counts an attempt that has ended.
    pub(super) fn ended(&mut self, item: &Item, kind: Kind, verdict: Verdict) {
        let now = self.sources.clock.now();
        self.look_at_table = true;
        match verdict {
            Verdict::Delivered => {
                self.count("delivered");
                self.breaker.record(now, true);
                self.throttle.succeeded();
                self.report.delivered(now, &self.settings.name);
                self.queue.delivered(item, kind, now);
            }
            Verdict::Failed(failure) => {
                self.count(if failure.has_answered {
                    "refused"
                } else {
                    "unreachable"
                });
                self.breaker.record(now, false);
                self.slow_down(&failure, now);
                let failed = item.event.attempts.saturating_add(1);
                let due_at = self.schedule.next(failed, now, failure.retry_after);
                self.report
                    .failed(now, &self.settings.name, &failure.problem);
                self.give_up_or_wait(item, kind, due_at, failure.problem);
            }
            Verdict::Disabled(failure) => {
                self.count("refused");
                self.report
                    .failed(now, &self.settings.name, &failure.problem);
                self.queue.give_back(item, kind);
                if !std::mem::replace(&mut self.is_disabled, true) {
                    let name = &self.settings.name;
                    warn!(
                        "the destination `{name}` answered 410 and gets no more events; they wait\n  help: \
                         enable it with POST /api/v1/forward/{name}/enable, or restart the program"
                    );
                }
            }
            Verdict::Gone => {
                self.count("expired");
                self.queue.delivered(item, kind, now);
                self.expired(1, now);
            }
            Verdict::Damaged => self.give_up_or_wait(item, kind, None, DAMAGED.to_owned()),
            Verdict::Unread => {
                self.throttle.pause(now, PAUSE);
                self.queue.give_back(item, kind);
            }
        }
    }

    fn give_up_or_wait(
        &mut self,
        item: &Item,
        kind: Kind,
        due_at: Option<UnixMillis>,
        problem: String,
    ) {
        let now = self.sources.clock.now();
        if due_at.is_none() {
            self.report
                .died(now, &self.settings.name, item.event.seq, &problem);
        }
        self.queue.failed(item, kind, due_at, now, problem);
    }

    fn slow_down(&mut self, failure: &Failure, now: UnixMillis) {
        if failure.is_overloaded {
            self.throttle.overloaded();
            if let Some(pause) = failure.retry_after {
                self.throttle.pause(now, pause);
            }
        }
    }

    fn count(&self, result: &'static str) {
        self.sources.metrics.forwarded(&self.settings.name, result);
    }
}
