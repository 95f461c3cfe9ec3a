//! When the next slice of events is begun: as many gather as are worth it, and what waits to be
//! stored has the processors first.

use std::time::{Duration, Instant};

/// Under load as much is gathered as comes in this time, unless somebody waits: what is written
/// together touches each page once.
const GATHERING: Duration = Duration::from_millis(250);

/// So many events are enough.
const MANY: i64 = 2048;

/// Under load it rests so many times as long as it took, for each event that came meanwhile in
/// place of one that it derived: a burst is derived behind it.
const REST: f64 = 4.0;

/// It never rests longer than so many times as long as it took, or it would stand still in a burst.
const MOST_REST: f64 = 3.0;

/// What stood when a slice was begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    at: Instant,
    derived: i64,
    newest: i64,
}

/// What stands when a slice is done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    gathered: Instant,
    rested: Instant,
    derived: i64,
}

impl Begun {
    /// A slice is begun at `at`, where `derived` is the last event that was derived and `newest` the
    /// last one that was committed.
    pub(super) fn new(at: Instant, derived: i64, newest: i64) -> Self {
        Self {
            at,
            derived,
            newest,
        }
    }

    /// It is done at `at`, where these are the last events now.
    pub(super) fn done(self, at: Instant, derived: i64, newest: i64) -> Done {
        Done {
            gathered: self.at + GATHERING,
            rested: at + (at - self.at).mul_f64(self.rest(derived, newest)),
            derived,
        }
    }

    /// How many times as long as it took it rests. Where little comes, as when it catches up after a
    /// burst, it hardly rests.
    #[expect(clippy::cast_precision_loss, reason = "counts of a slice")]
    fn rest(self, derived: i64, newest: i64) -> f64 {
        let derived = (derived - self.derived).max(1) as f64;
        let came = (newest - self.newest).max(0) as f64;
        (REST * came / derived).min(MOST_REST)
    }
}

impl Done {
    /// When the next slice is begun, where `newest` is the last event that is committed.
    pub(super) fn next(self, newest: i64) -> Instant {
        if newest - self.derived < MANY {
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

    /// How long after a slice of 1,000 events, which took 100 ms, the next one is begun.
    fn waits(came: i64, behind: i64) -> Duration {
        let at = Instant::now();
        let derived = 1000;
        let newest = derived + behind;
        Begun::new(at, 0, newest - came)
            .done(at + TOOK, derived, newest)
            .next(newest)
            - (at + TOOK)
    }

    #[test]
    fn it_rests_as_much_as_comes() {
        assert_eq!(waits(0, 50_000), Duration::ZERO, "catching up");
        assert_eq!(waits(250, 50_000), TOOK);
        assert_eq!(waits(500, 50_000), TOOK * 2);
        assert_eq!(waits(100_000, 200_000), TOOK * 3, "a burst");
    }

    #[test]
    fn few_events_gather_until_it_is_time() {
        assert_eq!(waits(10, 10) + TOOK, GATHERING);
        assert_eq!(waits(10, MANY), TOOK.mul_f64(0.04));
        assert_eq!(waits(1000, MANY - 1), TOOK * 3, "a rest outlasts it");
    }
}
