//! The circuit breaker of a destination: while nearly everything fails, it gets one probe from time to time.

use std::collections::VecDeque;

use crate::clock::UnixMillis;

/// Milliseconds that are looked back.
const WINDOW: i64 = 5 * 60_000;

/// Milliseconds of one count within the window.
const STEP: i64 = 10_000;

/// Attempts in the window below which the breaker stays closed.
const LEAST_ATTEMPTS: u32 = 10;

/// Failed attempts of ten from which on it opens.
const FAILED_OF_TEN: u32 = 7;

/// Milliseconds from one probe to the next.
const PAUSE: i64 = 30_000;

/// Attempts of one step.
#[derive(Debug)]
struct Count {
    from: i64,
    all: u32,
    failed: u32,
}

/// The breaker.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    counts: VecDeque<Count>,
    /// When it opened or the last probe failed; `None` while it is closed.
    opened_at: Option<i64>,
}

impl Breaker {
    /// Whether only probes are allowed.
    pub(super) fn is_open(&self) -> bool {
        self.opened_at.is_some()
    }

    /// Whether attempts are allowed now: all while it is closed, and one when a probe is due.
    pub(super) fn allows(&self, now: UnixMillis, in_flight: usize) -> bool {
        let Some(opened_at) = self.opened_at else {
            return true;
        };
        // A clock that was set back must not stop the probes.
        let passed = now.0.saturating_sub(opened_at);
        in_flight == 0 && !(0..PAUSE).contains(&passed)
    }

    /// Counts an attempt.
    pub(super) fn record(&mut self, now: UnixMillis, has_succeeded: bool) {
        if self.opened_at.is_some() {
            // Attempts that were in flight when it opened count as probes too.
            self.opened_at = (!has_succeeded).then_some(now.0);
            self.counts.clear();
            return;
        }
        while self
            .counts
            .front()
            .is_some_and(|count| now.0.saturating_sub(count.from) >= WINDOW || now.0 < count.from)
        {
            self.counts.pop_front();
        }
        if self
            .counts
            .back()
            .is_none_or(|count| now.0 - count.from >= STEP)
        {
            self.counts.push_back(Count {
                from: now.0,
                all: 0,
                failed: 0,
            });
        }
        if let Some(count) = self.counts.back_mut() {
            count.all = count.all.saturating_add(1);
            count.failed = count.failed.saturating_add(u32::from(!has_succeeded));
        }
        let all: u32 = self.counts.iter().map(|count| count.all).sum();
        let failed: u32 = self.counts.iter().map(|count| count.failed).sum();
        let is_failing = failed.saturating_mul(10) >= all.saturating_mul(FAILED_OF_TEN);
        if all >= LEAST_ATTEMPTS && is_failing && !has_succeeded {
            self.opened_at = Some(now.0);
            self.counts.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Breaker, PAUSE, WINDOW};
    use crate::clock::UnixMillis;

    #[test]
    fn breaker_opens_at_70_percent_of_ten_attempts_and_closes_after_a_probe_that_succeeds() {
        let mut breaker = Breaker::default();
        for number in 0..9 {
            breaker.record(UnixMillis(number), number < 3);
        }
        assert!(!breaker.is_open(), "nine attempts");
        breaker.record(UnixMillis(9), false);
        assert!(breaker.is_open(), "seven of ten failed");
        assert!(!breaker.allows(UnixMillis(9 + PAUSE - 1), 0));
        assert!(breaker.allows(UnixMillis(9 + PAUSE), 0));
        assert!(
            !breaker.allows(UnixMillis(9 + PAUSE), 1),
            "one probe at a time"
        );
        breaker.record(UnixMillis(10 + PAUSE), false);
        assert!(!breaker.allows(UnixMillis(11 + PAUSE), 0));
        breaker.record(UnixMillis(12 + 2 * PAUSE), true);
        assert!(!breaker.is_open());
    }

    #[test]
    fn failures_that_are_older_than_the_window_do_not_count() {
        let mut breaker = Breaker::default();
        for _ in 0..9 {
            breaker.record(UnixMillis(0), false);
        }
        breaker.record(UnixMillis(WINDOW), false);
        assert!(!breaker.is_open());
    }
}
