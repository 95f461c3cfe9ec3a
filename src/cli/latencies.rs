//! Latencies of requests.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Significant decimal digits of a percentile.
const DIGITS: u8 = 3;

/// Microseconds of the longest latency that the histogram distinguishes. It counts longer ones as this long.
const LONGEST: u64 = 60 * 60 * 1_000_000;

/// A histogram of latencies in microseconds.
#[derive(Debug)]
pub(super) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(super) fn record(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(micros);
    }

    /// The latency that `percent` of the requests did not exceed. `None` if nothing was recorded.
    #[must_use]
    pub(super) fn percentile(&self, percent: u8) -> Option<Duration> {
        let quantile = f64::from(percent) / 100.0;
        (!self.0.is_empty()).then(|| Duration::from_micros(self.0.value_at_quantile(quantile)))
    }
}

impl Default for Latencies {
    #[expect(clippy::expect_used, reason = "the bounds are constants")]
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("valid bounds"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LONGEST, Latencies};

    #[test]
    fn percentile_is_within_a_thousandth_of_the_recorded_latency() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(50), None);
        for millis in 1..=100 {
            latencies.record(Duration::from_millis(millis));
        }
        for (percent, millis) in [(50, 50.0), (99, 99.0)] {
            let found = latencies.percentile(percent).unwrap().as_secs_f64() * 1000.0;
            assert!(
                (found / millis - 1.0).abs() < 0.001,
                "p{percent}: {found} ms"
            );
        }
    }

    #[test]
    fn latency_beyond_the_longest_counts_as_the_longest() {
        let mut latencies = Latencies::default();
        latencies.record(Duration::MAX);
        let found = latencies.percentile(99).unwrap();
        assert!(found >= Duration::from_micros(LONGEST), "{found:?}");
    }
}
