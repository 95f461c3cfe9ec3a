//! What is sent, where to, and at what pace.

use std::time::Duration;

use bytes::Bytes;
use hyper::Uri;
use hyper::header::HeaderValue;

use crate::sample::{Sample, Values};

/// Further ahead nothing is planned; it keeps sums of times in range.
const FAR: Duration = Duration::from_hours(10 * 365 * 24);

/// What is sent, where to, and at what pace.
#[derive(Debug)]
pub(super) struct Plan {
    /// Where the webhook is.
    pub(super) target: Uri,
    /// Sent with every request.
    pub(super) authorization: Option<HeaderValue>,
    /// What is sent, over and over in this order.
    pub(super) samples: Vec<Sample>,
    /// How many notifications.
    pub(super) total: u64,
    /// Notifications a second over all instances; none for as fast as possible.
    pub(super) rate: Option<f64>,
    /// Instances that take turns.
    pub(super) instances: u32,
    /// Requests at one time; with more of them than instances the order of an instance is lost.
    pub(super) concurrency: u32,
    /// Wait before a refused notification is sent again.
    pub(super) pause: Duration,
    /// How often one is sent until it counts as failed.
    pub(super) attempts: u32,
    /// Serial of the first pass over the samples; another run should have another.
    pub(super) first_serial: u64,
    /// GREEN-API's `timestamp` of what is sent first, in seconds since 1970.
    pub(super) started_at: i64,
}

impl Plan {
    /// How long after the start the notification with this number is due.
    pub(super) fn due(&self, number: u64) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 notifications")]
        let seconds = self.rate.map_or(0.0, |rate| number as f64 / rate);
        Duration::try_from_secs_f64(seconds).map_or(FAR, |due| due.min(FAR))
    }

    /// The body of the notification with this number. A pass over the samples shares what makes
    /// them one story: instance, serial and timestamp.
    pub(super) fn body(&self, number: u64) -> Bytes {
        let instances = u64::from(self.instances.max(1));
        let samples = (self.samples.len() as u64).max(1);
        let (pass, place) = (number / instances / samples, number / instances % samples);
        let due = self.due(pass * samples * instances).as_secs();
        let Some(sample) = usize::try_from(place)
            .ok()
            .and_then(|place| self.samples.get(place))
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

/// The first instance of the product line of a sample. Numbers have ten digits, and one instance is
/// an account of one messenger only.
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
            target: hyper::Uri::from_static("http://127.0.0.1/"),
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
    fn the_schedule_does_not_drift() {
        assert_eq!(plan(Some(4.0), 1).due(10), Duration::from_millis(2500));
        assert_eq!(plan(None, 1).due(10), Duration::ZERO);
        assert_eq!(plan(Some(1e-300), 1).due(10), super::FAR);
    }

    #[test]
    fn no_two_bodies_are_the_same() {
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
