//! The task of one destination: reads the events, makes attempts, and saves what has become of each event.

mod attempts;
mod elsewhere;
mod resume;

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Sources;
use super::attempt::Verdict;
use super::breaker::Breaker;
use super::filter::Filter;
use super::lane::lane;
use super::queue::{Item, Kind, MAX_LANES, MAX_STEPS, Queue, Unsaved};
use super::report::Report;
use super::schedule::Schedule;
use super::target::Target;
use super::throttle::Throttle;
use crate::clock::UnixMillis;
use crate::config::Forward as Settings;
use crate::model::{Event, ForwardCommand, ForwardState, Forwards};
use crate::outbound::Pace;
use crate::store::{
    EventFilter, EventQuery, Feed, ForwardChange, ForwardStore, Order, Page, Position, ReadError,
    Term, Unavailable, WaitingEvent,
};

/// Interval at which the task looks at the clock. What is due is decided by the clock alone.
const TICK: Duration = Duration::from_millis(250);

/// Events in one read of the feed, without their bodies.
const PAGE_EVENTS: u32 = 64;

/// Time between two saves. Each is a commit, which the notifications wait for.
const SAVE_INTERVAL: Duration = Duration::from_millis(100);

/// Time between two saves of the position alone. After a crash the events of this time are sent again.
const POSITION_INTERVAL: Duration = Duration::from_secs(1);

/// Time for the last save when the program stops. PostgreSQL may hang.
const LAST_SAVE: Duration = Duration::from_secs(5);

/// Pause after the database could not be read or written.
const PAUSE: Duration = Duration::from_secs(1);

type Saving = Pin<Box<dyn Future<Output = (Result<(), Unavailable>, Unsaved)> + Send>>;

/// An attempt that has ended.
type Ended = (Item, Kind, Verdict);

/// The task.
pub(super) struct Task {
    settings: Settings,
    target: Arc<Target>,
    sources: Sources,
    commands: mpsc::Receiver<ForwardCommand>,
    filter: Filter,
    schedule: Schedule,
    breaker: Breaker,
    throttle: Throttle,
    pace: Pace,
    report: Report,
    queue: Queue,
    /// The position on disk.
    saved_position: i64,
    /// When the last save began.
    saved_at: Instant,
    is_disabled: bool,
    /// Whether the table may have events that are due.
    look_at_table: bool,
}

impl Task {
    pub(super) fn new(
        settings: Settings,
        target: Arc<Target>,
        sources: Sources,
        (publish, commands): ((Forwards, usize), mpsc::Receiver<ForwardCommand>),
        pace: Pace,
    ) -> Self {
        Self {
            filter: Filter::new(&settings),
            schedule: Schedule::new(&settings.retry_seconds),
            breaker: Breaker::default(),
            throttle: Throttle::new(settings.concurrency as usize),
            pace,
            report: Report::new(publish.0, publish.1),
            queue: Queue::default(),
            saved_position: 0,
            saved_at: Instant::now(),
            is_disabled: false,
            look_at_table: true,
            settings,
            target,
            sources,
            commands,
        }
    }

    fn store(&self) -> &ForwardStore {
        &self.sources.store
    }

    /// Runs until `stop` is cancelled. A new destination begins at `first`.
    pub(super) async fn run(mut self, first: i64, stop: CancellationToken) {
        let everywhere = self.sources.store.clone();
        while let Some(term) = self.turn(&stop).await {
            self.sources.store = everywhere.in_term(&term);
            self.deliver(first, &term, &stop).await;
            self.sources.store = everywhere.clone();
        }
    }

    /// Delivers until `stop` is cancelled or the term ends.
    async fn deliver(&mut self, first: i64, term: &Term, stop: &CancellationToken) {
        let start = loop {
            let resumed = tokio::select! {
                () = stop.cancelled() => return,
                resumed = term.guard(self.resume(first)) => resumed,
            };
            match resumed {
                None => return,
                Some(Ok(start)) => break start,
                Some(Err(failure)) => {
                    let name = &self.settings.name;
                    warn!("the destination `{name}` cannot start and tries again: {failure}");
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(PAUSE) => {}
            }
        };
        let mut feed = self.feed(start, stop.clone());
        let mut attempts: JoinSet<Ended> = JoinSet::new();
        let mut saving: Option<Saving> = None;
        let mut pause_reads = Instant::now();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !stop.is_cancelled() && term.is_running() {
            self.pace
                .turn(Instant::now(), self.sources.commits.newest());
            self.load_due(attempts.len()).await;
            self.dispatch(&mut attempts, term).await;
            let save_at = self.save_at().filter(|_| saving.is_none());
            if save_at.is_some_and(|at| at <= Instant::now()) {
                saving = self.start_save();
            }
            let can_read = self.queue.has_room() && self.wants_events(attempts.len());
            tokio::select! {
                () = stop.cancelled() => break,
                () = term.ended() => {}
                Some(ended) = attempts.join_next() => {
                    if let Ok((item, kind, verdict)) = ended {
                        self.ended(&item, kind, verdict);
                    }
                }
                (result, unsaved) = saved(&mut saving) => {
                    saving = None;
                    if self.end_save(result, unsaved) {
                        sleep(PAUSE).await;
                    }
                }
                () = passed(save_at), if saving.is_none() => {}
                () = passed(self.pace.waits_until()) => {}
                () = feed.ready(), if can_read && pause_reads <= Instant::now() => {
                    // Not in the `select!`: each attempt that ends would make the read begin anew.
                    let page = feed.read().await;
                    if !self.take_page(page, feed.position()) {
                        pause_reads = Instant::now() + PAUSE;
                    }
                }
                Some(command) = self.commands.recv() => {
                    if let Some(save) = saving.take() {
                        let (result, unsaved) = save.await;
                        self.end_save(result, unsaved);
                    }
                    self.obey(command).await;
                }
                _ = ticks.tick() => self.tick(feed.position()).await,
            }
        }
        if !term.is_running() {
            // The node that has the lease now goes on from what was saved.
            return;
        }
        let last = async {
            if let Some(save) = saving.take() {
                let (result, unsaved) = save.await;
                self.end_save(result, unsaved);
            }
            if let Some(save) = self.start_save() {
                let _ = save.await;
            }
        };
        // What is not saved is sent again.
        let _ = timeout(LAST_SAVE, last).await;
    }

    fn feed(&self, after: i64, stop: CancellationToken) -> Feed {
        let query = EventQuery {
            filter: EventFilter {
                distinct: self.settings.distinct,
                ..EventFilter::default()
            },
            order: Order::Ascending,
            position: Position::After(after),
            limit: PAGE_EVENTS,
            max_bytes: 0,
            with_body: false,
        };
        let Sources {
            reader,
            commits,
            projected,
            ..
        } = self.sources.clone();
        Feed::new(reader, commits, projected, stop, query, after)
    }

    /// Adds the events of a page. Whether they could be read.
    fn take_page(&mut self, page: Result<Page<Event>, ReadError>, position: i64) -> bool {
        let Ok(page) = page else {
            return false;
        };
        self.skip_deleted(position, page.entries.first().map(|event| event.seq));
        for event in &page.entries {
            if self.filter.matches(event) {
                self.queue.add(WaitingEvent {
                    seq: event.seq,
                    lane: self.lane(event.seq, event.id_instance, event.chat_id.as_deref()),
                    since: event.received_at,
                    attempts: 0,
                });
            }
        }
        self.queue.read_through(position);
        true
    }

    /// Counts events that were deleted before they were read. `first` is the first event that was there, up to
    /// `position`.
    fn skip_deleted(&mut self, position: i64, first: Option<i64>) {
        let deleted = self.sources.deleted.seq();
        let missing = first.map_or(position, |first| first - 1).min(deleted) - self.queue.read();
        if missing > 0 {
            self.expired(missing, self.sources.clock.now());
        }
    }

    fn expired(&mut self, events: i64, now: UnixMillis) {
        self.queue.expired(events, now);
        self.report.expired(now, &self.settings.name, events);
    }

    fn lane(&self, seq: i64, id_instance: Option<i64>, chat: Option<&str>) -> i64 {
        lane(self.settings.order, seq, id_instance, chat)
    }

    fn progress(&self, steps: Vec<crate::store::ForwardStep>, position: i64) -> ForwardChange {
        ForwardChange::Progress {
            destination: self.settings.name.clone(),
            steps,
            position: Some(position),
            deleted: self.sources.deleted.seq(),
        }
    }

    /// When the next save is due; `None` if there is nothing to save.
    fn save_at(&self) -> Option<Instant> {
        match self.queue.steps() {
            0 => {
                let has_moved = self.queue.position() > self.saved_position;
                has_moved.then(|| self.saved_at + POSITION_INTERVAL)
            }
            // More steps would stop reading.
            many if many >= MAX_STEPS / 2 => Some(self.saved_at),
            _ => Some(self.saved_at + SAVE_INTERVAL),
        }
    }

    /// Begins to save what there is to save.
    fn start_save(&mut self) -> Option<Saving> {
        self.save_at()?;
        self.saved_at = Instant::now();
        let unsaved = self.queue.take_unsaved();
        let change = self.progress(unsaved.steps.clone(), unsaved.position);
        let store = self.sources.store.clone();
        Some(Box::pin(async move { (store.save(change).await, unsaved) }))
    }

    /// Counts a save that has ended. Whether it has failed.
    fn end_save(&mut self, result: Result<(), Unavailable>, unsaved: Unsaved) -> bool {
        self.look_at_table = true;
        if result.is_err() {
            self.queue.saved(Some(unsaved));
            return true;
        }
        self.saved_position = unsaved.position;
        self.queue.saved(None);
        false
    }

    async fn obey(&mut self, command: ForwardCommand) {
        match command {
            ForwardCommand::Enable => {
                self.is_disabled = false;
                info!("the destination `{}` is enabled", self.settings.name);
            }
            ForwardCommand::Replay(events, answer) => {
                let now = self.sources.clock.now();
                let mut queued = 0;
                for event in events {
                    let lane = self.lane(event.seq, event.id_instance, event.chat_id.as_deref());
                    queued += u64::from(self.queue.replay(event.seq, lane, now));
                }
                if let Some(save) = self.start_save() {
                    let (result, unsaved) = save.await;
                    if self.end_save(result, unsaved) {
                        // Without an answer the caller reports a failure.
                        return;
                    }
                }
                let (name, position) = (&self.settings.name, self.saved_position);
                if let Ok(saved) = self.store().load(name, position, MAX_LANES).await {
                    self.report.dead(saved.dead);
                    self.queue.recount(saved.lanes);
                }
                // The caller may be gone.
                let _ = answer.send(queued);
            }
        }
    }

    /// Looks at the clock, and publishes the status.
    async fn tick(&mut self, position: i64) {
        self.look_at_table = true;
        self.skip_deleted(position, None);
        self.queue.read_through(position);
        let now = self.sources.clock.now();
        let mut oldest = self.queue.oldest();
        if self.queue.has_rows() && self.report.is_due(now) {
            let saved = self.store().oldest(&self.settings.name).await;
            self.report.oldest(saved.unwrap_or_default());
        }
        if self.queue.has_rows() {
            oldest = oldest.into_iter().chain(self.report.oldest_saved()).min();
        }
        let state = if self.is_disabled {
            ForwardState::Disabled
        } else if self.breaker.is_open() {
            ForwardState::Open
        } else {
            ForwardState::Running
        };
        let position = self.queue.position();
        self.report
            .publish(state, position, self.queue.waiting(), oldest, now);
    }
}

async fn passed(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

async fn saved(saving: &mut Option<Saving>) -> (Result<(), Unavailable>, Unsaved) {
    match saving {
        Some(save) => save.await,
        None => pending().await,
    }
}
