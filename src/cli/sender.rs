//! Sends notifications the way GREEN-API does: only status 200 accepts a notification. Anything else makes the
//! sender retry the same bytes after a pause, and delays the later notifications of that instance.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use indicatif::ProgressBar;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::http_client::HttpClient;
use super::latencies::Latencies;
use super::plan::Plan;
use crate::outbound::StatusCode;

/// The outcome of a plan.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Planned notifications.
    pub(super) total: u64,
    /// Notifications answered 200.
    pub(super) accepted: u64,
    /// Requests that retried a notification.
    pub(super) retries: u64,
    /// Notifications that failed their last attempt.
    pub(super) failed: u64,
    /// Time from start to end.
    pub(super) elapsed: Duration,
    /// Largest lag of a first attempt behind its due time.
    pub(super) behind: Duration,
    /// Latencies of the requests answered 200.
    pub(super) latencies: Latencies,
    /// The latest refusal.
    pub(super) last_refusal: Option<Refusal>,
}

impl Report {
    /// Accepted notifications per second.
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
    /// Status and reason, or why there was no response.
    pub(super) reason: String,
    /// The stable `code` of the response, if it has one.
    pub(super) code: Option<String>,
}

/// Sends the planned notifications until each is accepted or has failed, or `stop` is cancelled.
///
/// Shows the latest refusal in `progress`, or on standard error at most once a second if `progress` is hidden.
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
        state: Mutex::default(),
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
    let mut refresh = interval(Duration::from_millis(if is_drawn { 250 } else { 1000 }));
    refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            ended = workers.join_next() => if ended.is_none() { break },
            _ = refresh.tick() => sending.show(),
        }
    }
    sending.show();
    let mut report = std::mem::take(&mut sending.state().report);
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
    /// Notifications that each instance has started to send.
    sent: Vec<AtomicU64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    report: Report,
    /// When the latest refused notification is retried. `None` if it has failed.
    retry_at: Option<Instant>,
    is_shown: bool,
}

impl Sending {
    /// Sends the notifications of one instance, one at a time.
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
                let report = &mut self.state().report;
                if attempt > 1 {
                    report.retries += 1;
                } else if self.plan.rate.is_some() {
                    report.behind = report
                        .behind
                        .max((sent_at - self.start).saturating_sub(due));
                }
            }
            let outcome = self.send(body.clone()).await;
            drop(slot);
            let Err(refusal) = outcome else {
                let report = &mut self.state().report;
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
                    format!("{}, but only 200 accepts a notification", answer.reason())
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
        let mut state = self.state();
        state.report.last_refusal = Some(refusal);
        state.report.failed += u64::from(is_last);
        state.retry_at = (!is_last).then(|| Instant::now() + self.plan.pause);
        state.is_shown = false;
    }

    /// Shows the latest refusal: once on standard error, or in the progress bar until its retry.
    fn show(&self) {
        let mut state = self.state();
        let Some(refusal) = &state.report.last_refusal else {
            return;
        };
        let now = Instant::now();
        let line = match state.retry_at {
            Some(at) if at > now => {
                let wait = at - now;
                format!(
                    "{}; retrying in {:.0} s",
                    refusal.reason,
                    wait.as_secs_f64().ceil()
                )
            }
            Some(_) => format!("{}; retried", refusal.reason),
            None => format!("{}; given up", refusal.reason),
        };
        if !self.progress.is_hidden() {
            let is_over = state.retry_at.is_some_and(|at| at <= now);
            let message = if is_over { String::new() } else { line };
            self.progress.set_message(message);
        } else if !state.is_shown {
            // A closed standard error is not a failure.
            let _ = writeln!(std::io::stderr(), "refused: {line}");
        }
        state.is_shown = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
