//! Delays between the attempts of a request that fails.

use std::time::Duration;

/// Longest delay that a server can ask for. Beyond it the request is tried again all the same.
const LONGEST_WISH: Duration = Duration::from_hours(1);

/// Counts failures in a row and gives the delay before the next attempt.
#[derive(Debug)]
pub struct Backoff {
    schedule: &'static [Duration],
    failures: u32,
}

impl Backoff {
    /// Delays after the first failure, the second and so on; the last one is kept.
    #[must_use]
    pub const fn new(schedule: &'static [Duration]) -> Self {
        Self {
            schedule,
            failures: 0,
        }
    }

    /// Failures since the last success.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Counts a success. Returns how many failures were before it.
    pub fn succeeded(&mut self) -> u32 {
        std::mem::take(&mut self.failures)
    }

    /// Counts a failure. Returns the delay before the next attempt: that of the schedule, [`jittered`].
    pub fn failed(&mut self, retry_after: Option<Duration>) -> Duration {
        let index = (self.failures as usize).min(self.schedule.len().saturating_sub(1));
        self.failures = self.failures.saturating_add(1);
        let delay = self.schedule.get(index).copied().unwrap_or(LONGEST_WISH);
        jittered(delay, retry_after)
    }
}

/// A delay, up to a tenth longer so that many senders do not come at once, and at least what the server asked for.
#[must_use]
pub fn jittered(delay: Duration, retry_after: Option<Duration>) -> Duration {
    // Without random bytes there is only no jitter.
    let random = getrandom::u32().unwrap_or(0);
    let jitter = (delay / 10).mul_f64(f64::from(random) / f64::from(u32::MAX));
    let wish = retry_after.unwrap_or_default().min(LONGEST_WISH);
    (delay + jitter).max(wish)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;

    const SCHEDULE: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(100)];

    #[test]
    fn delay_follows_the_schedule_with_up_to_a_tenth_more() {
        let mut backoff = Backoff::new(&SCHEDULE);
        for least in [10, 100, 100] {
            let delay = backoff.failed(None);
            let least = Duration::from_secs(least);
            assert!((least..=least + least / 10).contains(&delay), "{delay:?}");
        }
        assert_eq!(backoff.succeeded(), 3);
        assert!(backoff.failed(None) < Duration::from_secs(12));
    }

    #[test]
    fn server_can_ask_for_a_longer_delay_of_an_hour_at_most() {
        let mut backoff = Backoff::new(&SCHEDULE);
        let seconds = |asked| Some(Duration::from_secs(asked));
        assert!(backoff.failed(seconds(1)) >= Duration::from_secs(10));
        assert_eq!(backoff.failed(seconds(300)), Duration::from_mins(5));
        assert_eq!(backoff.failed(seconds(999_999)), Duration::from_hours(1));
    }
}
