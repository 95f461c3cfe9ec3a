//! Counts messages that were not delivered, per instance and hour.

use std::collections::{HashMap, VecDeque};

use super::HOUR;
use crate::clock::UnixMillis;

/// Instances that are counted. Beyond it those without a failure in the last hour go.
const MAX_INSTANCES: usize = 10_000;

/// Failures that a later run counts again.
const MAX_KEPT: usize = 500;

/// The newest failures of each instance.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// When each was received, and its event.
    times: HashMap<i64, VecDeque<(i64, i64)>>,
}

impl Failures {
    /// Counts a failure of an instance, the event with this seq, received at this time. Whether the last hour has too
    /// many: `bound` of them, or 0 for never.
    pub(super) fn add(
        &mut self,
        bound: u32,
        (id_instance, seq, UnixMillis(at)): (i64, i64, UnixMillis),
    ) -> bool {
        let bound = bound as usize;
        if bound == 0 {
            return false;
        }
        if self.times.len() >= MAX_INSTANCES && !self.times.contains_key(&id_instance) {
            let is_recent = |times: &VecDeque<(i64, i64)>| {
                times
                    .back()
                    .is_some_and(|(last, _)| at.saturating_sub(*last) < HOUR)
            };
            self.times.retain(|_, times| is_recent(times));
            if self.times.len() >= MAX_INSTANCES {
                return false;
            }
        }
        let times = self.times.entry(id_instance).or_default();
        times.push_back((at, seq));
        // A reload may have lowered the bound.
        while times.len() > bound {
            times.pop_front();
        }
        let first = times.front().map_or(at, |(first, _)| *first);
        times.len() == bound && at.saturating_sub(first) < HOUR
    }

    /// The events that a later run must count again: the newest failures of the last hour.
    pub(super) fn counted(&self, UnixMillis(now): UnixMillis) -> Vec<i64> {
        let all = self.times.values().flatten();
        let recent = all.filter(|(at, _)| now.saturating_sub(*at) < HOUR);
        let mut seqs: Vec<i64> = recent.map(|(_, seq)| *seq).collect();
        seqs.sort_unstable_by(|a, b| b.cmp(a));
        seqs.truncate(MAX_KEPT);
        seqs
    }
}

#[cfg(test)]
mod tests {
    use super::{Failures, HOUR};
    use crate::clock::UnixMillis;

    #[test]
    fn failures_within_an_hour_are_counted_for_each_instance() {
        let mut failures = Failures::default();
        assert!(!failures.add(3, (1, 0, UnixMillis(0))));
        assert!(!failures.add(3, (1, 0, UnixMillis(1))));
        assert!(!failures.add(3, (2, 0, UnixMillis(2))), "another instance");
        assert!(failures.add(3, (1, 0, UnixMillis(HOUR - 1))));
        assert!(
            !failures.add(3, (1, 0, UnixMillis(HOUR + 1))),
            "the first two are too old"
        );
        assert!(
            failures.add(2, (1, 0, UnixMillis(HOUR + 2))),
            "a lower bound"
        );
        assert!(!failures.add(0, (1, 0, UnixMillis(HOUR + 3))));
    }
}
