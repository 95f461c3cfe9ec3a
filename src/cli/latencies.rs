//! Latencies of requests.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Significant decimal digits of a percentile.
const DIGITS: u8 = 3;

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
    #[expect(clippy::expect_used, reason = "`new` refuses only more than 5 digits")]
    fn default() -> Self {
        let mut histogram = Histogram::new(DIGITS).expect("valid digits");
        histogram.auto(true);
        Self(histogram)
    }
}
