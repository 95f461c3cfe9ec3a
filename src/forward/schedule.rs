//! When a failed attempt is made again.

use std::time::Duration;

use crate::clock::UnixMillis;
use crate::outbound::jittered;

/// The delays between the attempts of one event.
#[derive(Debug)]
pub(super) struct Schedule(Vec<Duration>);

impl Schedule {
    pub(super) fn new(seconds: &[u32]) -> Self {
        let delays = seconds.iter().map(|s| Duration::from_secs((*s).into()));
        Self(delays.collect())
    }

    /// The time of the next attempt after `failed` failed ones; `None` after the last attempt.
    pub(super) fn next(
        &self,
        failed: u32,
        now: UnixMillis,
        retry_after: Option<Duration>,
    ) -> Option<UnixMillis> {
        let index = usize::try_from(failed).ok()?.checked_sub(1)?;
        let delay = jittered(*self.0.get(index)?, retry_after);
        let millis = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        Some(UnixMillis(now.0.saturating_add(millis)))
    }

    /// The latest time that an attempt can be due at. A later one comes from a clock that was set back.
    pub(super) fn latest(&self, now: UnixMillis) -> UnixMillis {
        let longest = self.0.iter().max().copied().unwrap_or_default();
        let longest = longest.max(Duration::from_hours(1)).saturating_mul(2);
        let millis = i64::try_from(longest.as_millis()).unwrap_or(i64::MAX);
        UnixMillis(now.0.saturating_add(millis))
    }
}
