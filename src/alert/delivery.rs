//! Tells one destination what it was not told yet.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::destination::Destination;
use super::difference::difference;
use super::failure::Failure;
use super::notice::{Content, Notice};
use super::setup::InUse;
use super::shared::{Place, is_of_node};
use super::{HOUR, Sources, TICK};
use crate::clock::{Clock, UnixMillis};
use crate::model::{AlertKey, Alerts, Told};
use crate::outbound::Backoff;
use crate::store::{AlertChange, AlertStore, SavedAlerts, SavedDestination, Term};

/// Delays between attempts while a destination fails. Alerts are urgent, so it is never longer than 5 minutes.
const SCHEDULE: [Duration; 6] = [
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_mins(1),
    Duration::from_mins(2),
    Duration::from_mins(5),
];

/// Milliseconds. A longer wait comes from a clock that was set back.
const LONGEST_WAIT: i64 = 2 * HOUR;

/// Time for the response to a request that is in flight when the program stops.
const LAST_ANSWER: Duration = Duration::from_secs(1);

/// Time to wait for a save. Beyond it the delivery goes on and saves again: it must work while a disk hangs.
const SAVE_TIMEOUT: Duration = Duration::from_secs(2);

/// The task of one destination.
#[derive(Debug)]
pub(super) struct Delivery {
    destination: Arc<Destination>,
    in_use: InUse,
    clock: Clock,
    place: Place,
    /// The term in which this node tells what every node sees, after it has read what the destination was told.
    term: Option<Term>,
    store: AlertStore,
    alerts: Alerts,
    started_at: UnixMillis,
    added_at: UnixMillis,
    heartbeat_at: Option<UnixMillis>,
    told: HashMap<AlertKey, Told>,
    /// The alerts of which that is not saved yet.
    unsaved: HashSet<AlertKey>,
    unsaved_heartbeat: bool,
    backoff: Backoff,
    /// No attempt before this time.
    wait_until: UnixMillis,
}

/// Loads what was saved, and saves which destinations there are now. Without a readable or writable database
/// the alerts start without a saved state: an alert that is sent twice is better than one that is not sent.
pub(super) async fn load(sources: &Sources, destinations: &[Arc<Destination>]) -> SavedAlerts {
    save_destinations(sources, destinations).await;
    sources.store.load().await.unwrap_or_else(|failure| {
        warn!(%failure, "the saved alerts cannot be read, so all that fire are told again: {failure}");
        SavedAlerts::default()
    })
}

/// Saves which destinations there are now; all others are forgotten.
pub(super) async fn save_destinations(sources: &Sources, destinations: &[Arc<Destination>]) {
    let names = destinations
        .iter()
        .map(|destination| destination.name().to_owned());
    let change = AlertChange::Destinations {
        names: names.collect(),
        at: sources.clock.now(),
    };
    let saved = timeout(SAVE_TIMEOUT, sources.store.save(change)).await;
    if !matches!(saved, Ok(Ok(()))) {
        warn!("the destinations of alerts could not be saved; after a restart they are told again");
    }
}

impl Delivery {
    pub(super) fn new(
        destination: Arc<Destination>,
        in_use: InUse,
        sources: &Sources,
        alerts: Alerts,
        saved: Option<&SavedDestination>,
    ) -> Self {
        let now = sources.clock.now();
        let told = saved.map_or_else(Vec::new, |saved| saved.told.clone());
        Self {
            in_use,
            clock: sources.clock.clone(),
            place: sources.place.clone(),
            term: None,
            store: sources.store.clone(),
            alerts,
            started_at: now,
            added_at: saved.map_or(now, |saved| saved.added_at),
            heartbeat_at: saved.and_then(|saved| saved.heartbeat_at),
            told: told
                .into_iter()
                .map(|told| (told.key.clone(), told))
                .collect(),
            unsaved: HashSet::new(),
            unsaved_heartbeat: false,
            backoff: Backoff::new(&SCHEDULE),
            wait_until: UnixMillis(i64::MIN),
            destination,
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep(TICK) => {}
            }
            // A request that is abandoned here is not counted as told, so it is sent again after the start.
            tokio::select! {
                () = self.round() => {}
                () = async { stop.cancelled().await; sleep(LAST_ANSWER).await } => {}
            }
            self.save().await;
        }
        self.save().await;
    }

    /// Sends what is due, until it is sent or an attempt fails.
    async fn round(&mut self) {
        self.take_reloaded();
        let now = self.clock.now();
        // A clock that was set back must not stop the attempts.
        let wait = self.wait_until.0.saturating_sub(now.0);
        if (1..=LONGEST_WAIT).contains(&wait) {
            return;
        }
        let is_holder = self.take_over().await;
        let notices = self.due(now, is_holder);
        if notices.is_empty() {
            // What it did not take is forgotten, or another destination failed in an earlier run.
            self.destination.set_failing(None);
        }
        let batch = self.destination.batch();
        for notices in notices.chunks(batch.min(notices.len().max(1))) {
            let sending = self.destination.send(notices, now);
            let sent = match &self.term {
                Some(term) if is_holder => term.guard(sending).await,
                _ => Some(sending.await),
            };
            match sent {
                Some(Ok(())) => self.sent(notices, now),
                Some(Err(failure)) => return self.failed(&failure, now),
                // Another node tells it.
                None => return,
            }
        }
    }

    /// Goes on with the destination as it is configured now. It is tried at once: its secret may be right now.
    fn take_reloaded(&mut self) {
        let setup = self.in_use.borrow_and_update();
        let destination = setup.destination(self.destination.name());
        if let Some(destination) = destination.filter(|new| !Arc::ptr_eq(new, &self.destination)) {
            self.destination = Arc::clone(destination);
            self.wait_until = UnixMillis(i64::MIN);
        }
    }

    /// Whether this node tells what every node sees. At the start of a term it goes on from what the others have told.
    async fn take_over(&mut self) -> bool {
        let duty = &self.place.duty;
        // Each node has a log of its own.
        if duty.is_alone() || self.destination.is_log() {
            return true;
        }
        if self.term.as_ref().is_some_and(Term::is_running) {
            return true;
        }
        self.term = None;
        if !duty.is_held() {
            return false;
        }
        let term = duty.term().await;
        let told = self.store.told_by_nodes(self.destination.name());
        let Ok(Ok(by_nodes)) = timeout(SAVE_TIMEOUT, told).await else {
            return false;
        };
        self.told.retain(|key, _| is_of_node(key.name));
        self.unsaved.retain(|key| is_of_node(key.name));
        let told = by_nodes.told.into_iter();
        self.told.extend(told.map(|told| (told.key.clone(), told)));
        self.heartbeat_at = by_nodes.heartbeat_at;
        self.unsaved_heartbeat = false;
        self.term = Some(term);
        true
    }

    fn due(&mut self, now: UnixMillis, is_holder: bool) -> Vec<Notice> {
        let alerts = self.alerts.current();
        let repeat_hours = self.in_use.borrow().settings.repeat_hours;
        // Alerts that are forgotten need not be remembered.
        if self.told.len() > alerts.len() {
            self.told
                .retain(|key, _| alerts.iter().any(|alert| alert.key == *key));
        }
        let name = self.destination.name();
        let difference = |name: &str, alerts: &[_]| {
            difference(name, alerts, &self.told, self.added_at, repeat_hours, now)
        };
        if self.place.duty.is_alone() || self.destination.is_log() {
            let mut due = difference(name, &alerts);
            due.extend(self.heartbeat(now));
            return due;
        }
        let (own, common) = self.place.split(&alerts);
        let mut due = difference(&self.place.own_name(name), &own);
        if is_holder {
            due.extend(difference(name, &common));
            due.extend(self.heartbeat(now));
        }
        due
    }

    fn heartbeat(&self, now: UnixMillis) -> Option<Notice> {
        let interval = i64::from(self.in_use.borrow().settings.heartbeat_hours) * HOUR;
        let is_due = self
            .heartbeat_at
            .is_none_or(|last| now.0.saturating_sub(last.0) >= interval);
        (interval > 0 && is_due && !self.destination.is_log()).then(|| {
            let firing = self.alerts.firing().into_iter().collect();
            let name = self.destination.name();
            Notice::heartbeat(name, self.heartbeat_at, self.started_at, firing)
        })
    }

    fn sent(&mut self, notices: &[Notice], now: UnixMillis) {
        for notice in notices {
            match &notice.content {
                Content::Alert(alert) => {
                    let told = Told {
                        key: alert.key.clone(),
                        since: alert.since,
                        at: now,
                        is_resolved: !alert.is_firing(),
                    };
                    self.told.insert(alert.key.clone(), told);
                    self.unsaved.insert(alert.key.clone());
                }
                Content::Heartbeat { .. } => {
                    self.heartbeat_at = Some(now);
                    self.unsaved_heartbeat = true;
                }
                Content::Test { .. } => {}
            }
        }
        self.destination.set_failing(None);
        let failures = self.backoff.succeeded();
        if failures > 0 {
            let label = self.destination.label();
            info!("the destination {label} takes alerts again, after {failures} failures");
        }
    }

    /// Counts a failed attempt that began at `now`.
    fn failed(&mut self, failure: &Failure, now: UnixMillis) {
        if self.backoff.failures() == 0 {
            // In an earlier run it may have failed too.
            let since = self.destination.failing_since().unwrap_or(now);
            self.destination.set_failing(Some(since));
            let label = self.destination.label();
            warn!(
                "the destination {label} does not take alerts: {failure}\n  help: check it with `green-inbox \
                 alert-test`; alerts wait and are tried again"
            );
        }
        let delay = self.backoff.failed(failure.retry_after);
        let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        self.wait_until = UnixMillis(now.0.saturating_add(delay));
    }

    /// Saves for the other nodes what this one has told. Whether there is nothing left of that.
    async fn share(&self) -> bool {
        let Some(term) = &self.term else {
            return true;
        };
        let told = self.unsaved.iter().filter(|key| !is_of_node(key.name));
        let told: Vec<_> = told.filter_map(|key| self.told.get(key)).cloned().collect();
        let heartbeat = self.heartbeat_at.filter(|_| self.unsaved_heartbeat);
        if told.is_empty() && heartbeat.is_none() {
            return true;
        }
        let moments = (heartbeat, self.clock.now());
        let name = self.destination.name();
        let shared = self.store.share_told(term, name, &told, moments);
        matches!(timeout(SAVE_TIMEOUT, shared).await, Ok(Ok(()))) || !term.is_running()
    }

    async fn save(&mut self) {
        if self.unsaved.is_empty() && !self.unsaved_heartbeat {
            return;
        }
        if !self.share().await {
            return;
        }
        let told = self.unsaved.iter().filter_map(|key| self.told.get(key));
        let change = AlertChange::Told {
            destination: self.destination.name().to_owned(),
            told: told.cloned().collect(),
            heartbeat_at: self.heartbeat_at.filter(|_| self.unsaved_heartbeat),
        };
        if let Ok(Ok(())) = timeout(SAVE_TIMEOUT, self.store.save(change)).await {
            self.unsaved.clear();
            self.unsaved_heartbeat = false;
        }
    }
}
