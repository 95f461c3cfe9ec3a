//! Receiving comes first: while notifications come in a burst, few attempts to reach another machine begin.

use std::time::Duration;

use tokio::time::Instant;

/// Time over which notifications and attempts are counted.
const WINDOW: Duration = Duration::from_millis(100);

/// Notifications in a window from which on they are a burst: 2,000 a second.
const BURST: u128 = 200;

/// Counts attempts.
#[derive(Debug)]
pub struct Pace {
    /// Attempts that begin in a window of a burst.
    share: usize,
    since: Instant,
    /// The newest event when the window began.
    newest: i64,
    /// Attempts that may still begin in this window; `None` if there is no burst.
    left: Option<usize>,
}

impl Pace {
    /// A pace of `share` attempts in each tenth of a second of a burst. `newest` is the newest event.
    #[must_use]
    pub fn new(share: usize, now: Instant, newest: i64) -> Self {
        Self {
            share,
            since: now,
            newest,
            left: None,
        }
    }

    /// Begins a new window if it is time. `newest` is the newest event.
    pub fn turn(&mut self, now: Instant, newest: i64) {
        let passed = now.duration_since(self.since);
        if passed < WINDOW {
            return;
        }
        let arrived = u128::try_from(newest - self.newest).unwrap_or(0);
        let is_burst = arrived * WINDOW.as_millis() >= BURST * passed.as_millis();
        self.since = now;
        self.newest = newest;
        self.left = is_burst.then_some(self.share);
    }

    /// Attempts that may begin.
    #[must_use]
    pub fn left(&self) -> usize {
        self.left.unwrap_or(usize::MAX)
    }

    /// Counts an attempt that begins.
    pub fn begin(&mut self) {
        self.left = self.left.map(|left| left.saturating_sub(1));
    }

    /// When more attempts may begin; `None` if they may now.
    #[must_use]
    pub fn waits_until(&self) -> Option<Instant> {
        (self.left == Some(0)).then(|| self.since + WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::{Pace, WINDOW};
    use tokio::time::Instant;

    #[test]
    fn few_attempts_begin_in_each_window_of_a_burst_and_any_number_otherwise() {
        let start = Instant::now();
        let mut pace = Pace::new(30, start, 10);
        assert_eq!(pace.left(), usize::MAX, "nothing is known yet");
        pace.turn(start + WINDOW, 10 + 199);
        assert_eq!(pace.left(), usize::MAX, "no burst");
        pace.turn(start + 2 * WINDOW, 10 + 199 + 200);
        assert_eq!(pace.left(), 30);
        for _ in 0..30 {
            assert_eq!(pace.waits_until(), None);
            pace.begin();
        }
        assert_eq!(
            (pace.left(), pace.waits_until()),
            (0, Some(start + 3 * WINDOW))
        );
        // Late, so that as many notifications are no burst.
        pace.turn(start + 4 * WINDOW, 10 + 199 + 400);
        assert_eq!((pace.left(), pace.waits_until()), (usize::MAX, None));
    }
}
