//! A fixed-size histogram of request latencies.

use std::time::Duration;

/// A latency histogram with a fixed number of buckets, each less than 1.6 % wide.
#[derive(Debug)]
pub(super) struct Latencies {
    buckets: Vec<u64>,
    count: u64,
}

/// Buckets from one power of two to the next.
const STEPS: u32 = 64;

impl Latencies {
    pub(super) fn record(&mut self, took: Duration) {
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        if let Some(bucket) = self.buckets.get_mut(bucket(micros)) {
            *bucket += 1;
            self.count += 1;
        }
    }

    /// The latency that `percent` of the requests did not exceed. `None` if nothing was recorded.
    #[must_use]
    pub(super) fn percentile(&self, percent: u64) -> Option<Duration> {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut counted = 0;
        let index = self.buckets.iter().position(|bucket| {
            counted += bucket;
            counted >= rank
        });
        index.map(|index| Duration::from_micros(upper_end(index as u64)))
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            buckets: vec![0; bucket(u32::MAX) + 1],
            count: 0,
        }
    }
}

fn bucket(micros: u32) -> usize {
    let shift = (u32::BITS - micros.leading_zeros()).saturating_sub(STEPS.ilog2() + 1);
    (shift * STEPS + (micros >> shift)) as usize
}

fn upper_end(bucket: u64) -> u64 {
    let steps = u64::from(STEPS);
    let shift = (bucket / steps).saturating_sub(1);
    ((bucket - shift * steps + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Latencies, bucket, upper_end};

    #[test]
    fn percentiles_are_exact_within_a_bucket() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(50), None);
        for micros in 1..=100_000 {
            latencies.record(Duration::from_micros(micros));
        }
        for (percent, exact) in [(50, 50_000), (99, 99_000), (100, 100_000)] {
            let found = latencies.percentile(percent).unwrap().as_micros();
            assert!(
                (exact..exact + exact / 60).contains(&found),
                "{percent}: {found}"
            );
        }
    }

    #[test]
    fn buckets_have_no_gaps() {
        let mut last = None;
        for micros in (0..300_000).chain([u32::MAX - 1, u32::MAX]) {
            let bucket = bucket(micros);
            assert!(u64::from(micros) <= upper_end(bucket as u64));
            assert!(micros >= 300_000 || last.is_none_or(|last| bucket - last <= 1));
            last = Some(bucket);
        }
        assert_eq!(upper_end(bucket(u32::MAX) as u64), u64::from(u32::MAX));
    }
}
