//! How many attempts a destination gets at the same time. A destination that is overloaded gets fewer.

use std::time::Duration;

use crate::clock::UnixMillis;

/// Milliseconds that a destination can ask to be left alone. Beyond it attempts go on.
const LONGEST_PAUSE: i64 = 3_600_000;

/// The number of attempts that are allowed at the same time.
#[derive(Debug)]
pub(super) struct Throttle {
    most: usize,
    allowed: usize,
    /// Successes since the number last grew.
    successes: usize,
    paused_until: UnixMillis,
}

impl Throttle {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            allowed: most,
            successes: 0,
            paused_until: UnixMillis(0),
        }
    }

    /// Attempts that are allowed at the same time.
    pub(super) fn allowed(&self, now: UnixMillis) -> usize {
        let left = self.paused_until.0.saturating_sub(now.0);
        // A longer pause comes from a clock that was set back.
        if (1..=LONGEST_PAUSE).contains(&left) {
            0
        } else {
            self.allowed
        }
    }

    /// Counts a success. One more attempt is allowed after as many successes as are allowed now.
    pub(super) fn succeeded(&mut self) {
        self.successes += 1;
        if self.allowed < self.most && self.successes >= self.allowed {
            self.allowed += 1;
            self.successes = 0;
        }
    }

    /// Halves the number because the destination is overloaded.
    pub(super) fn overloaded(&mut self) {
        self.allowed = (self.allowed / 2).max(1);
        self.successes = 0;
    }

    /// Makes no attempt for a while.
    pub(super) fn pause(&mut self, now: UnixMillis, pause: Duration) {
        let millis = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        let until = now.0.saturating_add(millis.min(LONGEST_PAUSE));
        self.paused_until = self.paused_until.max(UnixMillis(until));
    }
}

#[cfg(test)]
mod tests {
    use super::{Throttle, UnixMillis};
    use std::time::Duration;

    #[test]
    fn overloaded_destination_gets_half_and_recovers_step_by_step() {
        let mut throttle = Throttle::new(8);
        throttle.overloaded();
        throttle.overloaded();
        assert_eq!(throttle.allowed(UnixMillis(0)), 2);
        throttle.succeeded();
        throttle.succeeded();
        assert_eq!(throttle.allowed(UnixMillis(0)), 3);
        throttle.pause(UnixMillis(0), Duration::from_secs(5));
        assert_eq!(throttle.allowed(UnixMillis(4_999)), 0);
        assert_eq!(throttle.allowed(UnixMillis(5_000)), 3);
    }
}
