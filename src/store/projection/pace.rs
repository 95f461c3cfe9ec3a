//! Decides when the next slice starts. Events accumulate until a slice is worth its cost, and
//! requests that wait to be stored get the CPU first.

use std::time::{Duration, Instant};

/// Minimum time from the start of one slice to the start of the next, unless a caller is waiting:
/// events written in one slice touch each page only once.
const GATHERING: Duration = Duration::from_millis(250);

/// Number of waiting events from which the next slice no longer pause for [`GATHERING`] to pass.
const ENOUGH_EVENTS: i64 = 2048;

/// Rest per unit of time that a slice took, scaled by events committed ÷ events projected
/// meanwhile. During a burst, projection is postponed until after it.
const REST: f64 = 4.0;

/// Longest rest, as a multiple of the time that the slice took. Beyond it, the projection would
/// stand still during a burst.
const MAX_REST: f64 = 3.0;

/// State when a slice starts.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunningSlice {
    at: Instant,
    derived: i64,
    newest: i64,
}

/// State when a slice is finished.
#[derive(Debug, Clone, Copy)]
pub(super) struct FinishedSlice {
    gathered: Instant,
    rested: Instant,
    derived: i64,
}

impl RunningSlice {
    /// A slice starts at `at`, when `derived` is the last projected event and `newest` the last
    /// committed one.
    pub(super) fn new(at: Instant, derived: i64, newest: i64) -> Self {
        Self {
            at,
            derived,
            newest,
        }
    }

    /// The slice is finished at `at`, when `derived` and `newest` are the last events.
    pub(super) fn done(self, at: Instant, derived: i64, newest: i64) -> FinishedSlice {
        FinishedSlice {
            gathered: self.at + GATHERING,
            rested: at + (at - self.at).mul_f64(self.rest(derived, newest)),
            derived,
        }
    }

    /// The rest as a multiple of the time that the slice took. When few events arrive, as during
    /// catch-up after a burst, the thread hardly rests.
    #[expect(clippy::cast_precision_loss, reason = "counts of a slice")]
    fn rest(self, derived: i64, newest: i64) -> f64 {
        let derived = (derived - self.derived).max(1) as f64;
        let arrived = (newest - self.newest).max(0) as f64;
        (REST * arrived / derived).min(MAX_REST)
    }
}

impl FinishedSlice {
    /// When the next slice starts, given the last committed event.
    pub(super) fn next(self, newest: i64) -> Instant {
        if newest - self.derived < ENOUGH_EVENTS {
            self.rested.max(self.gathered)
        } else {
            self.rested
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOK: Duration = Duration::from_millis(100);

    /// The pause between the end of a slice of 1,000 events that took 100 ms and the start of the
    /// next one.
    fn pause(arrived: i64, lag: i64) -> Duration {
        let at = Instant::now();
        let derived = 1000;
        let newest = derived + lag;
        RunningSlice::new(at, 0, newest - arrived)
            .done(at + TOOK, derived, newest)
            .next(newest)
            - (at + TOOK)
    }

    #[test]
    fn rest_grows_with_arriving_events_up_to_its_limit() {
        assert_eq!(pause(0, 50_000), Duration::ZERO, "catching up");
        assert_eq!(pause(250, 50_000), TOOK);
        assert_eq!(pause(500, 50_000), TOOK * 2);
        assert_eq!(pause(100_000, 200_000), TOOK * 3, "a burst");
    }

    #[test]
    fn few_events_wait_for_the_gathering_time() {
        assert_eq!(pause(10, 10) + TOOK, GATHERING);
        assert_eq!(pause(10, ENOUGH_EVENTS), TOOK.mul_f64(0.04));
        assert_eq!(
            pause(1000, ENOUGH_EVENTS - 1),
            TOOK * 3,
            "a rest outlasts it"
        );
    }
}
