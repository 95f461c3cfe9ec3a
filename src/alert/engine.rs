//! Decides what fires: looks at everything twice a second, publishes the alerts and saves them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::board::{Board, Sighting};
use super::failures::Failures;
use super::instances::{Instances, Sample, is_about_instance};
use super::projection::ProjectionWatch;
use super::setup::InUse;
use super::{MINUTE, Sources, TICK, accounts, forwards, one_off, troubles};
use crate::clock::UnixMillis;
use crate::config::Alerts as Settings;
use crate::model::{Alert, AlertKey, AlertName, Alerts, Attention};
use crate::store::{AlertChange, InstanceQuery, Position, ReadError};

/// Milliseconds between two samples of the instances.
const SAMPLE_INTERVAL: i64 = MINUTE / 4;

/// Instances in one read of the database, and reads for one sample. Instances beyond them are not watched.
const PAGE_INSTANCES: u32 = 500;
const MAX_PAGES: usize = 40;

/// Events by which the projection may be behind for a sample, while it advances.
const SMALL_LAG: i64 = 10_000;

/// Events in one read of the database.
const PAGE_EVENTS: u32 = 500;

/// Milliseconds between two saves while only counts change.
const SAVE_INTERVAL: i64 = MINUTE;

/// Time to wait for a save. Beyond it the alerts go on and save again: they must report a disk that hangs.
const SAVE_TIMEOUT: Duration = Duration::from_secs(2);

/// Milliseconds for which a destination must fail before the others hear of it.
const FAILING: i64 = 15 * MINUTE;

/// The task that decides what fires.
#[derive(Debug)]
pub(super) struct Engine {
    in_use: InUse,
    /// The settings at the last look.
    settings: Arc<Settings>,
    sources: Sources,
    alerts: Alerts,
    board: Board,
    instances: Instances,
    projection: ProjectionWatch,
    failures: Failures,
    /// The newest event whose attention was read.
    read: i64,
    /// The newest event at the last look.
    looked_at: i64,
    /// The projection at the last look.
    projected: i64,
    /// The projection at the last sample of the instances, and when that was.
    sampled: Option<(i64, UnixMillis)>,
    saved_at: UnixMillis,
    saved_read: i64,
    reads_fail: bool,
}

impl Engine {
    pub(super) fn new(in_use: InUse, sources: Sources, alerts: Alerts, saved: Vec<Alert>) -> Self {
        let now = sources.clock.now();
        let settings = Arc::clone(&in_use.borrow().settings);
        let mut board = Board::new(saved);
        troubles::restore(&sources.troubles, board.firing());
        accounts::restore(&sources.accounts, board.firing());
        forwards::restore(&sources.forwards, board.firing());
        in_use.borrow().restore_failing(board.firing());
        if let Some(restored) = board.take_published() {
            alerts.publish(restored);
        }
        Self {
            failures: Failures::default(),
            instances: Instances::new(now, board.firing()),
            projection: ProjectionWatch::new(now),
            settings,
            in_use,
            sources,
            alerts,
            board,
            read: 0,
            looked_at: -1,
            projected: -1,
            sampled: None,
            saved_at: now,
            saved_read: 0,
            reads_fail: false,
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            self.look().await;
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep(TICK) => {}
            }
        }
        self.save(self.sources.clock.now(), true).await;
    }

    async fn look(&mut self) {
        let now = self.sources.clock.now();
        self.take_reloaded();
        let read = self.read_attention().await.and(self.sample(now).await);
        self.log_reads(read);
        let newest = self.sources.commits.newest();
        self.projection
            .observe(&self.sources.troubles, &self.sources.projected, newest, now);
        let seen = troubles::sightings(&self.sources.troubles, now);
        let is_meant = |key: &AlertKey| troubles::is_from_trouble(key.name);
        self.board.agree(is_meant, seen, now);
        let accounts = self.sources.accounts.all();
        let seen = accounts::sightings(&accounts, &self.settings.ignored_instances, now);
        let is_meant = |key: &AlertKey| {
            accounts::is_about_account(key.name) && !accounts::awaits_check(key, &accounts)
        };
        self.board.agree(is_meant, seen, now);
        let seen = self.failing_destinations(now);
        let is_failing = |key: &AlertKey| key.name == AlertName::DestinationFailing;
        self.board.agree(is_failing, seen, now);
        let fires = |key: &AlertKey| self.board.fires(key);
        let seen = forwards::sightings(&self.sources.forwards.current(), fires, now);
        let is_meant = |key: &AlertKey| forwards::is_about_forward(key.name);
        self.board.agree(is_meant, seen, now);
        self.board.expire(one_off::quiet, now);
        if let Some(alerts) = self.board.take_published() {
            self.alerts.publish(alerts);
        }
        self.save(now, false).await;
    }

    /// Goes on with the settings as they are now, and looks at all instances again if they have changed.
    fn take_reloaded(&mut self) {
        let settings = Arc::clone(&self.in_use.borrow().settings);
        if !Arc::ptr_eq(&settings, &self.settings) {
            self.settings = settings;
            self.sampled = None;
        }
    }

    /// Reads the events that an operator should hear about.
    async fn read_attention(&mut self) -> Result<(), ReadError> {
        let newest = self.sources.commits.newest();
        while self.looked_at < newest {
            let page = self.sources.store.attention(self.read, PAGE_EVENTS).await?;
            for event in &page {
                self.hear(event);
                self.read = event.seq;
            }
            if page.len() < PAGE_EVENTS as usize {
                self.looked_at = newest;
            }
        }
        Ok(())
    }

    fn hear(&mut self, event: &Attention) {
        let is_ignored = |id: i64| self.settings.ignored_instances.contains(&id);
        if event.id_instance.is_some_and(is_ignored) {
            return;
        }
        let failed_at = event
            .id_instance
            .map(|id| (id, event.seq, event.received_at));
        if let (Attention::COUNTED, Some(failed)) = (event.meaning.as_str(), failed_at) {
            self.failures.add(self.settings.failed_per_hour, failed);
            return;
        }
        let detail = self.detail(event);
        for key in one_off::of(event) {
            self.board.count(key, event.received_at, detail.clone());
        }
        if let ("failed" | "noAccount", Some(failed)) = (event.meaning.as_str(), failed_at)
            && self.failures.add(self.settings.failed_per_hour, failed)
        {
            let key = AlertKey {
                name: AlertName::MessageFailed,
                id_instance: event.id_instance,
                subject: String::new(),
            };
            let bound = self.settings.failed_per_hour;
            let detail = format!("{bound} or more within an hour, {detail}");
            self.board.count(key, event.received_at, detail);
        }
    }

    /// Where an alert began. The chat is named only if the settings allow it.
    fn detail(&self, event: &Attention) -> String {
        let chat = event
            .chat_id
            .as_deref()
            .filter(|_| self.settings.include_text);
        let chat = chat.map_or_else(String::new, |chat| format!(" of chat {chat}"));
        format!("first in event {}{chat}", event.seq)
    }

    /// Samples the instances from time to time, and looks for those that are silent.
    async fn sample(&mut self, now: UnixMillis) -> Result<(), ReadError> {
        let newest = self.sources.commits.newest();
        let seq = self.sources.projected.seq();
        let has_moved = std::mem::replace(&mut self.projected, seq) != seq;
        let is_due = self.sampled.is_none_or(|(_, at)| {
            // A clock that was set back must not stop the samples.
            now.0.saturating_sub(at.0) >= SAMPLE_INTERVAL || now < at
        });
        // While the projection is behind, instances would seem silent.
        let lag = newest.saturating_sub(seq);
        let is_usable = lag <= 0 || (has_moved && lag <= SMALL_LAG);
        if !is_due || !is_usable || self.sources.projected.is_rebuilding() {
            return Ok(());
        }
        if self.sampled.is_none_or(|(seen, _)| seen != seq) {
            let samples = self.read_instances().await?;
            self.instances.sample(&self.settings, samples);
        }
        self.sampled = Some((seq, now));
        let mut seen = self.instances.sightings(&self.settings, now);
        let accounts = self.sources.accounts.all();
        accounts::correct_states(&mut seen, &accounts, &self.settings.ignored_instances);
        let is_meant =
            |key: &AlertKey| is_about_instance(key.name) && !accounts::awaits_check(key, &accounts);
        self.board.agree(is_meant, seen, now);
        Ok(())
    }

    async fn read_instances(&self) -> Result<Vec<Sample>, ReadError> {
        let mut query = InstanceQuery {
            instance: None,
            type_instance: None,
            position: Position::Start,
            limit: PAGE_INSTANCES,
        };
        let mut samples = Vec::new();
        for _ in 0..MAX_PAGES {
            let page = self.sources.reader.instances(&query).await?;
            samples.extend(page.entries.into_iter().map(Sample::from));
            let Some(next) = page.next else { break };
            query.position = Position::After(next);
        }
        Ok(samples)
    }

    fn failing_destinations(&self, now: UnixMillis) -> Vec<Sighting> {
        let setup = self.in_use.borrow();
        let failing = setup.destinations.iter().filter_map(|destination| {
            let since = destination.failing_since()?;
            let lasts = now.0.saturating_sub(since.0) >= FAILING;
            lasts.then(|| Sighting {
                key: AlertKey {
                    name: AlertName::DestinationFailing,
                    id_instance: None,
                    subject: destination.label().to_owned(),
                },
                since,
                last: now,
                count: 1,
                detail: String::new(),
            })
        });
        failing.collect()
    }

    /// Saves what has changed: at once if an alert began or ended, otherwise from time to time.
    async fn save(&mut self, now: UnixMillis, is_last: bool) {
        let unsaved = self.board.unsaved();
        let is_due = unsaved.is_urgent
            || self.read > self.saved_read
            || is_last
            || now.0.saturating_sub(self.saved_at.0) >= SAVE_INTERVAL;
        let is_empty = unsaved.changed.is_empty()
            && unsaved.removed.is_empty()
            && self.read <= self.saved_read;
        if !is_due || is_empty {
            return;
        }
        let change = AlertChange::Alerts {
            changed: unsaved.changed,
            removed: unsaved.removed,
            read: self.read,
            counted: self.failures.counted(now),
        };
        if let Ok(Ok(())) = timeout(SAVE_TIMEOUT, self.sources.store.save(change)).await {
            self.board.saved();
            (self.saved_at, self.saved_read) = (now, self.read);
        }
    }

    /// Logs the first failure to read and the end of the failures.
    fn log_reads(&mut self, read: Result<(), ReadError>) {
        match read {
            // The projection is watched on its own, and a busy database is read at the next look.
            Ok(()) | Err(ReadError::Rebuilding | ReadError::Busy) => self.reads_fail = false,
            Err(failure) if !self.reads_fail => {
                self.reads_fail = true;
                warn!(%failure, "the alerts cannot read the database now and try again: {failure}");
            }
            Err(_) => {}
        }
    }
}
