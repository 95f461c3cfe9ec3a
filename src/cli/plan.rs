//! The plan of a `send` run: target, samples and rate.

use std::time::Duration;

use bytes::Bytes;
use hyper::header::HeaderValue;
use reqwest::Url;

use crate::sample::{Sample, Values};

/// Upper bound of due times. It keeps sums of times from overflowing.
const FAR: Duration = Duration::from_hours(10 * 365 * 24);

/// Target, samples and rate of a `send` run.
#[derive(Debug)]
pub(super) struct Plan {
    /// URL of the webhook.
    pub(super) target: Url,
    /// `Authorization` header of every request.
    pub(super) authorization: Option<HeaderValue>,
    /// Samples, sent in this order and repeated as often as needed.
    pub(super) samples: Vec<Sample>,
    /// Notifications to send.
    pub(super) total: u64,
    /// Notifications per second over all instances. `None` means as fast as possible.
    pub(super) rate: Option<f64>,
    /// Instances. Consecutive notifications rotate through them.
    pub(super) instances: u32,
    /// Concurrent requests. With more requests than instances, the order within an instance is lost.
    pub(super) concurrency: u32,
    /// Pause before a refused notification is retried.
    pub(super) pause: Duration,
    /// Attempts for one notification. After the last one it counts as failed.
    pub(super) attempts: u32,
    /// Serial of the first pass over the samples. Each run should use a different one.
    pub(super) first_serial: u64,
    /// GREEN-API's `timestamp` of the first notification, in seconds since 1970.
    pub(super) started_at: i64,
}

impl Plan {
    /// Time from the start until notification `number` is due.
    pub(super) fn due(&self, number: u64) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 notifications")]
        let seconds = self.rate.map_or(0.0, |rate| number as f64 / rate);
        Duration::try_from_secs_f64(seconds).map_or(FAR, |due| due.min(FAR))
    }

    /// Body of notification `number`. All samples of one pass share instance, serial and timestamp, so that
    /// they form one story.
    pub(super) fn body(&self, number: u64) -> Bytes {
        let instances = u64::from(self.instances.max(1));
        let samples = (self.samples.len() as u64).max(1);
        let (pass, index) = (number / instances / samples, number / instances % samples);
        let due = self.due(pass * samples * instances).as_secs();
        let Some(sample) = usize::try_from(index)
            .ok()
            .and_then(|index| self.samples.get(index))
        else {
            return Bytes::new();
        };
        let values = Values {
            id_instance: first_instance(sample).saturating_add_unsigned(number % instances),
            serial: self.first_serial.wrapping_add(pass),
            timestamp: self.started_at.saturating_add_unsigned(due),
        };
        sample.body(&values).into()
    }
}

/// First `idInstance` of the sample's product line. It has ten digits, and each product line has its own
/// range because an instance belongs to one messenger.
fn first_instance(sample: &Sample) -> i64 {
    match sample.name().split('/').next() {
        Some("max") => 3_100_000_001,
        Some("telegram") => 4_100_000_001,
        Some("waba") => 5_100_000_001,
        _ => 1_101_000_001,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::Plan;
    use crate::sample;

    fn plan(rate: Option<f64>, instances: u32) -> Plan {
        Plan {
            target: "http://127.0.0.1/".parse().unwrap(),
            authorization: None,
            samples: sample::all().into_iter().take(2).collect(),
            total: 10,
            rate,
            instances,
            concurrency: 1,
            pause: Duration::ZERO,
            attempts: 1,
            first_serial: u64::MAX,
            started_at: 1_764_000_000,
        }
    }

    #[test]
    fn due_times_do_not_drift() {
        assert_eq!(plan(Some(4.0), 1).due(10), Duration::from_millis(2500));
        assert_eq!(plan(None, 1).due(10), Duration::ZERO);
        assert_eq!(plan(Some(1e-300), 1).due(10), super::FAR);
    }

    #[test]
    fn bodies_are_unique_and_reproducible() {
        let samples = sample::all();
        let total = samples.len() as u64 * 6;
        let plan = Plan {
            samples,
            ..plan(None, 3)
        };
        let bodies: HashSet<_> = (0..total).map(|number| plan.body(number)).collect();
        assert_eq!(bodies.len() as u64, total);
        assert_eq!(plan.body(7), plan.body(7));
    }
}
