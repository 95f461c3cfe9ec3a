//! Request latencies in a histogram of fixed size.

use std::time::Duration;

/// Buckets per power of two, so that each bucket is less than 1.6 % wide.
const STEPS: u32 = 64;

/// A histogram of times in nanoseconds.
#[derive(Debug, Clone)]
pub(crate) struct Latencies {
    buckets: Vec<u64>,
    count: u64,
}

impl Latencies {
    pub(crate) fn record(&mut self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get_mut(bucket(nanos)) {
            *bucket += 1;
            self.count += 1;
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (bucket, more) in self.buckets.iter_mut().zip(&other.buckets) {
            *bucket += more;
        }
        self.count += other.count;
    }

    /// The latency that `percent` of the requests did not exceed, or `None` if none was recorded.
    pub(crate) fn percentile(&self, percent: u64) -> Option<Duration> {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let index = self.buckets.iter().position(|bucket| {
            seen += bucket;
            seen >= rank
        });
        index.map(|index| Duration::from_nanos(upper_end(index as u64)))
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            buckets: vec![0; bucket(u64::MAX) + 1],
            count: 0,
        }
    }
}

fn bucket(nanos: u64) -> usize {
    let shift = (u64::BITS - nanos.leading_zeros()).saturating_sub(STEPS.ilog2() + 1);
    let step = usize::try_from(nanos >> shift).unwrap_or(usize::MAX);
    (shift * STEPS) as usize + step
}

fn upper_end(bucket: u64) -> u64 {
    let steps = u64::from(STEPS);
    let shift = (bucket / steps).saturating_sub(1);
    ((bucket - shift * steps + 1) << shift).wrapping_sub(1)
}
