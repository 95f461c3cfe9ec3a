//! The engine that plays GREEN-API: only status 200 is accepted, anything else is sent again after
//! a pause, byte for byte, and holds up what is behind it for that instance.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::HeaderValue;
use hyper::{StatusCode, Uri};
use indicatif::ProgressBar;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::http_client::HttpClient;
use crate::sample::{Sample, Values};

/// GREEN-API numbers its instances by ten digits.
const FIRST_INSTANCE: i64 = 1_101_000_001;

/// Further ahead nothing is planned; it keeps sums of times in range.
const FAR: Duration = Duration::from_hours(10 * 365 * 24);

/// From the serials of one product line to those of the next, so that two accounts that say the
/// same in the same form are told apart.
const LINE_SERIALS: u64 = 50_000;

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
    fn due(&self, number: u64) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 notifications")]
        let seconds = self.rate.map_or(0.0, |rate| number as f64 / rate);
        Duration::try_from_secs_f64(seconds).map_or(FAR, |due| due.min(FAR))
    }

    /// The body of the notification with this number. A pass over the samples shares what makes
    /// them one story: instance, serial and timestamp.
    fn body(&self, number: u64) -> Bytes {
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
        let is_of_its_line = |other: &Sample| line(other) == line(sample);
        let line_start = self.samples.iter().position(is_of_its_line).unwrap_or(0) as u64;
        let values = Values {
            id_instance: FIRST_INSTANCE.saturating_add_unsigned(number % instances),
            serial: self
                .first_serial
                .wrapping_add(line_start * LINE_SERIALS + pass),
            timestamp: self.started_at.saturating_add_unsigned(due),
        };
        sample.body(&values).into()
    }
}

/// The product line of a sample.
fn line(sample: &Sample) -> &str {
    sample.name().split('/').next().unwrap_or_default()
}

/// What came of a plan.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Notifications that were to be sent.
    pub(super) total: u64,
    /// Notifications that were answered 200.
    pub(super) accepted: u64,
    /// Requests that sent a notification again.
    pub(super) repeated: u64,
    /// Notifications given up after the last attempt.
    pub(super) failed: u64,
    /// From the start to the end.
    pub(super) elapsed: Duration,
    /// How far a first request was behind the rate, at worst.
    pub(super) behind: Duration,
    /// How long requests took that were answered 200.
    pub(super) latencies: Latencies,
    /// Why a notification was refused last.
    pub(super) last_refusal: Option<Refusal>,
}

impl Report {
    /// Accepted notifications a second.
    #[must_use]
    pub(super) fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 notifications")]
        let accepted = self.accepted as f64;
        accepted / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// Why a notification was not accepted.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Status and reason, or why there was no answer.
    pub(super) reason: String,
    /// The stable `code` of the answer, where it has one.
    pub(super) code: Option<String>,
}

/// Sends what is planned until all is accepted or given up, or `stop` is cancelled.
///
/// Refusals are shown at most once a second: in the message of `progress`, or on standard error
/// where that is hidden.
pub(super) async fn play(
    plan: Plan,
    client: HttpClient,
    progress: ProgressBar,
    stop: CancellationToken,
) -> Report {
    progress.set_length(plan.total);
    let instances = plan.instances.max(1);
    let sending = Arc::new(Sending {
        slots: Semaphore::new(plan.concurrency.max(1) as usize),
        sent: (0..instances).map(|_| AtomicU64::new(0)).collect(),
        tally: Mutex::default(),
        start: Instant::now(),
        plan,
        client,
        progress,
    });
    let mut workers = JoinSet::new();
    for worker in 0..instances.max(sending.plan.concurrency) {
        let (sending, stop) = (Arc::clone(&sending), stop.clone());
        workers.spawn(async move {
            stop.run_until_cancelled(sending.work(worker % instances))
                .await;
        });
    }
    let is_drawn = !sending.progress.is_hidden();
    let mut showing = interval(Duration::from_millis(if is_drawn { 250 } else { 1000 }));
    showing.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            ended = workers.join_next() => if ended.is_none() { break },
            _ = showing.tick() => sending.show(),
        }
    }
    sending.show();
    let mut report = std::mem::take(&mut sending.tally().report);
    report.total = sending.plan.total;
    report.elapsed = sending.start.elapsed();
    report
}

struct Sending {
    plan: Plan,
    client: HttpClient,
    progress: ProgressBar,
    start: Instant,
    slots: Semaphore,
    /// How many of its notifications each instance has begun.
    sent: Vec<AtomicU64>,
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    report: Report,
    /// When what was refused last is sent again; none when it is given up.
    again_at: Option<Instant>,
    is_shown: bool,
}

impl Sending {
    /// Sends what is next of an instance, one at a time.
    async fn work(&self, instance: u32) {
        let Some(sent) = self.sent.get(instance as usize) else {
            return;
        };
        loop {
            let nth = sent.fetch_add(1, Ordering::Relaxed);
            let number = nth * u64::from(self.plan.instances.max(1)) + u64::from(instance);
            if number >= self.plan.total {
                return;
            }
            self.deliver(number).await;
            self.progress.inc(1);
        }
    }

    async fn deliver(&self, number: u64) {
        let due = self.plan.due(number);
        if self.plan.rate.is_some() {
            sleep_until(self.start + due).await;
        }
        let body = self.plan.body(number);
        for attempt in 1..=self.plan.attempts {
            let slot = self.slots.acquire().await;
            let sent_at = Instant::now();
            {
                let report = &mut self.tally().report;
                if attempt > 1 {
                    report.repeated += 1;
                } else if self.plan.rate.is_some() {
                    report.behind = report
                        .behind
                        .max((sent_at - self.start).saturating_sub(due));
                }
            }
            let outcome = self.send(body.clone()).await;
            drop(slot);
            let Err(refusal) = outcome else {
                let report = &mut self.tally().report;
                report.accepted += 1;
                report.latencies.record(sent_at.elapsed());
                return;
            };
            let is_last = attempt == self.plan.attempts;
            self.refused(refusal, is_last);
            if !is_last {
                sleep(self.plan.pause).await;
            }
        }
    }

    async fn send(&self, body: Bytes) -> Result<(), Refusal> {
        let Plan {
            target,
            authorization,
            ..
        } = &self.plan;
        match self.client.post(target, authorization.as_ref(), body).await {
            Ok(answer) if answer.status == StatusCode::OK => Ok(()),
            Ok(answer) => Err(Refusal {
                reason: if answer.status.is_success() {
                    format!("{}, but only 200 counts", answer.reason())
                } else {
                    answer.reason()
                },
                code: answer.code().map(str::to_owned),
            }),
            Err(error) => Err(Refusal {
                reason: error.to_string(),
                code: None,
            }),
        }
    }

    fn refused(&self, refusal: Refusal, is_last: bool) {
        let mut tally = self.tally();
        tally.report.last_refusal = Some(refusal);
        tally.report.failed += u64::from(is_last);
        tally.again_at = (!is_last).then(|| Instant::now() + self.plan.pause);
        tally.is_shown = false;
    }

    /// Shows the last refusal; on standard error once, in the progress bar while it counts.
    fn show(&self) {
        let mut tally = self.tally();
        let Some(refusal) = &tally.report.last_refusal else {
            return;
        };
        let now = Instant::now();
        let line = match tally.again_at {
            Some(at) if at > now => {
                let wait = at - now;
                format!(
                    "{}; again in {:.0} s",
                    refusal.reason,
                    wait.as_secs_f64().ceil()
                )
            }
            Some(_) => format!("{}; sent again", refusal.reason),
            None => format!("{}; given up", refusal.reason),
        };
        if !self.progress.is_hidden() {
            let is_over = tally.again_at.is_some_and(|at| at <= now);
            let message = if is_over { String::new() } else { line };
            self.progress.set_message(message);
        } else if !tally.is_shown {
            // Whoever closed standard error does not want to hear of it.
            let _ = writeln!(std::io::stderr(), "refused: {line}");
        }
        tally.is_shown = true;
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long something took, in buckets of a fixed number that are less than 1.6 % wide.
#[derive(Debug)]
pub(super) struct Latencies {
    buckets: Vec<u64>,
    count: u64,
}

/// Buckets between a power of two and the next.
const STEPS: u32 = 64;

impl Latencies {
    fn record(&mut self, took: Duration) {
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        if let Some(bucket) = self.buckets.get_mut(bucket(micros)) {
            *bucket += 1;
            self.count += 1;
        }
    }

    /// What so many percent did not exceed; none when nothing was recorded.
    #[must_use]
    pub(super) fn percentile(&self, percent: u64) -> Option<Duration> {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let place = self.buckets.iter().position(|bucket| {
            seen += bucket;
            seen >= rank
        });
        place.map(|place| Duration::from_micros(upper_end(place as u64)))
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
    use std::collections::HashSet;
    use std::time::Duration;

    use super::{Latencies, Plan, bucket, upper_end};
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

    #[test]
    fn percentiles_are_within_a_bucket() {
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
    fn buckets_follow_each_other_without_a_gap() {
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
