//! Latencies of requests.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Significant decimal digits of a percentile.
const DIGITS: u8 = 3;

/// Nanoseconds of the longest latency that the histogram distinguishes. It counts longer ones as this long.
const LONGEST: u64 = 60 * 1_000_000_000;

/// A histogram of latencies in nanoseconds.
#[derive(Debug, Clone)]
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn record(&mut self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.0.saturating_record(nanos);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.0 += &other.0;
    }

    /// The latency that `percent` of the requests did not exceed, or `None` if none was recorded.
    pub(crate) fn percentile(&self, percent: u8) -> Option<Duration> {
        let quantile = f64::from(percent) / 100.0;
        (!self.0.is_empty()).then(|| Duration::from_nanos(self.0.value_at_quantile(quantile)))
    }
}

impl Default for Latencies {
    #[expect(clippy::expect_used, reason = "the bounds are constants")]
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("valid bounds"))
    }
}
