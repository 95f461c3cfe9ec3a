//! The task: reads the events behind the commits, makes attempts, and saves what has become of each file.
//!
//! It is the only part of the program that names, removes or records files, one step after the other. So no file is
//! removed while an event begins to need it.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::attempt::{Downloader, Verdict};
use super::named::named_file;
use super::{Sources, sweep};
use crate::clock::UnixMillis;
use crate::config;
use crate::outbound::{Pace, jittered};
use crate::store::{DueFile, MediaChange, MediaStep, ReadError};
use crate::trouble::Trouble;

/// Interval at which the events are read and what has become of files is saved, so that the writer gets few commands.
const TICK: Duration = Duration::from_millis(250);

/// Events in one read. Their bodies are read one by one, and only of those that may name a file.
const SPAN: i64 = 4096;

/// Events that name a file in one read.
const CANDIDATES: u32 = 64;

/// Reads of events in one tick.
const READS: usize = 64;

/// Attempts that begin in each tenth of a second of a burst. Receiving comes first, and links last for days.
pub(super) const ATTEMPTS: usize = 1;

/// Files that were never tried. Beyond it no further events are read: they wait in the database.
const MAX_UNTRIED: u64 = 1000;

/// Rows of deleted events in one step.
const EXPIRED: u32 = 256;

/// Time between saves of the position alone. Events are read again after a crash, which changes nothing.
const POSITION_INTERVAL: Duration = Duration::from_secs(5);

/// Pause after the database or the folder could not be used.
const PAUSE: Duration = Duration::from_secs(2);

/// Milliseconds for which GREEN-API keeps a file. Older events are not tried.
const LINK_MILLIS: i64 = 15 * 24 * 60 * 60 * 1000;

/// The task could not go on at the moment.
#[derive(Debug, thiserror::Error)]
enum Stuck {
    #[error("the database cannot be read: {0}")]
    Read(#[from] ReadError),
    #[error("the database cannot be written: {0}")]
    Write(#[from] crate::store::Unavailable),
    #[error("the folder of kept files cannot be used: {0}")]
    Sweep(#[from] sweep::SweepError),
}

/// The task.
pub(super) struct Task {
    pub(super) settings: config::Media,
    pub(super) sources: Sources,
    pub(super) downloader: Arc<Downloader>,
    /// The accounts that keep files, as a JSON array.
    pub(super) instances: String,
    /// The last event that was read. At first, where a first start begins.
    pub(super) position: i64,
    /// The position on disk.
    pub(super) saved: i64,
    /// When the waiting files were last counted.
    pub(super) counted: Instant,
    /// Events in the next read. Fewer around a damaged page.
    pub(super) span: i64,
    /// What is not saved yet.
    pub(super) steps: Vec<MediaStep>,
    /// How many attempts may begin.
    pub(super) pace: Pace,
    /// Files that are being downloaded, and those whose end is not saved yet.
    pub(super) busy: HashSet<i64>,
    /// Files that wait, and those of them that were never tried.
    pub(super) waiting: (u64, u64),
    /// Deleted events whose files are removed.
    pub(super) expired: i64,
    /// The last event whose row was removed because the event is deleted.
    pub(super) forgotten: i64,
}

impl Task {
    /// Runs until `stop` is cancelled. Attempts in progress are given up then, and made again after the next start.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut attempts = JoinSet::new();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_ready = false;
        while !stop.is_cancelled() {
            let done = tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = attempts.join_next() => match ended {
                    Ok((due, verdict)) => self.settle(due, verdict).await,
                    // It panicked. The next start tries again.
                    Err(_) => Ok(()),
                },
                _ = ticks.tick() => {
                    if is_ready {
                        self.tick().await
                    } else {
                        self.prepare().await.map(|()| is_ready = true)
                    }
                }
            };
            let done = match done {
                Ok(()) if is_ready => self.dispatch(&mut attempts).await,
                done => done,
            };
            if let Err(stuck) = done {
                warn!("keeping files pauses and tries again: {stuck}");
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = sleep(PAUSE) => {}
                }
            }
        }
        attempts.shutdown().await;
        // Without this, the files that were complete would be downloaded again.
        if is_ready {
            let _ = self.save(0).await;
        }
    }

    /// Saves where a first start begins. If that fails, the task begins there all the same.
    pub(super) async fn begin(&mut self) {
        if let Ok(None) = self.sources.store.position().await
            && let Err(stuck) = self.save(0).await
        {
            warn!("the position of keeping files is not saved yet: {stuck}");
        }
    }

    /// Removes what an earlier run left in the folder, and counts what there is.
    async fn prepare(&mut self) -> Result<(), Stuck> {
        sweep::sweep(&self.downloader.folder, &self.sources.store).await?;
        if let Some(saved) = self.sources.store.position().await? {
            self.position = saved;
        }
        let bytes = self.sources.store.bytes().await?;
        self.downloader.room.set_used(bytes);
        self.waiting = self.sources.store.waiting().await?;
        Ok(())
    }

    async fn tick(&mut self) -> Result<(), Stuck> {
        let read = self.read().await;
        let is_late = self.counted.elapsed() >= POSITION_INTERVAL;
        if !self.steps.is_empty() || (is_late && self.position > self.saved) {
            self.save(0).await?;
        }
        if is_late {
            // Events that were read again after a crash were counted twice.
            self.waiting = self.sources.store.waiting().await?;
            self.counted = Instant::now();
        }
        self.expire().await?;
        self.sources
            .metrics
            .media(self.waiting.0, self.downloader.room.used());
        read
    }

    /// Reads events until all are read or enough files wait.
    async fn read(&mut self) -> Result<(), Stuck> {
        if self.downloader.accounts.is_empty() {
            self.position = self.sources.commits.newest();
            return Ok(());
        }
        for _ in 0..READS {
            let newest = self.sources.commits.newest();
            if self.position >= newest || self.waiting.1 >= MAX_UNTRIED {
                break;
            }
            let through = newest.min(self.position.saturating_add(self.span));
            let since = UnixMillis(self.sources.clock.now().0 - LINK_MILLIS);
            let range = (self.position, through);
            let store = &self.sources.store;
            match store
                .candidates(range, &self.instances, since, CANDIDATES)
                .await
            {
                Ok(found) => {
                    for &seq in &found {
                        self.name(seq).await?;
                        self.position = seq;
                    }
                    if found.len() < CANDIDATES as usize {
                        self.position = through;
                    }
                    self.span = (self.span * 2).min(SPAN);
                }
                // An event that cannot be read is passed over, and no other.
                Err(ReadError::Damaged(_)) if self.span == 1 => self.position = through,
                Err(ReadError::Damaged(_)) => self.span /= 2,
                Err(failure) => return Err(failure.into()),
            }
        }
        Ok(())
    }

    /// Adds the file of an event, if it names one.
    async fn name(&mut self, seq: i64) -> Result<(), Stuck> {
        let body = match self.downloader.reader.body(seq).await {
            Ok(Some(body)) => body,
            Ok(None) | Err(ReadError::Damaged(_) | ReadError::DamagedBody) => return Ok(()),
            Err(failure) => return Err(failure.into()),
        };
        if let Some(file) = named_file(&body.entry.1) {
            self.steps.push(MediaStep::Named {
                seq,
                id_instance: file.id.id_instance,
                chat: file.id.chat_id,
                id_message: file.id.id_message,
                at: self.sources.clock.now(),
            });
            self.waiting.0 += 1;
            self.waiting.1 += 1;
        }
        Ok(())
    }

    /// Begins attempts for the files that are due.
    async fn dispatch(&mut self, attempts: &mut JoinSet<(DueFile, Verdict)>) -> Result<(), Stuck> {
        self.pace
            .turn(Instant::now(), self.sources.commits.newest());
        let free = (self.settings.concurrency as usize).saturating_sub(attempts.len());
        let free = free.min(self.pace.left());
        if free == 0 || self.waiting.0 == 0 {
            return Ok(());
        }
        let now = self.sources.clock.now();
        let longest = self
            .settings
            .retry_seconds
            .iter()
            .max()
            .copied()
            .unwrap_or(0);
        let latest = UnixMillis(now.0 + 2 * i64::from(longest) * 1000);
        let limit = u32::try_from(free + self.busy.len()).unwrap_or(u32::MAX);
        let due = self.sources.store.due((now, latest), limit).await?;
        let due = due.into_iter().filter(|due| !self.busy.contains(&due.seq));
        for due in due.take(free).collect::<Vec<_>>() {
            self.busy.insert(due.seq);
            self.pace.begin();
            let downloader = Arc::clone(&self.downloader);
            attempts.spawn(async move { (due, downloader.attempt(due).await) });
        }
        Ok(())
    }

    /// Takes the result of an attempt. A complete file gets its name before anything says that it is kept.
    async fn settle(&mut self, due: DueFile, verdict: Verdict) -> Result<(), Stuck> {
        let seq = due.seq;
        let (step, result) = match verdict {
            // Its row is gone, so nothing would remove the file later.
            _ if seq <= self.forgotten => (MediaStep::Forgotten { seq }, "gone"),
            Verdict::Complete(complete) => {
                let (digest, bytes) = (complete.digest, complete.bytes);
                let folder = self.downloader.folder.clone();
                let published = spawn_blocking(move || folder.publish(complete)).await;
                match published.map_err(io::Error::other).flatten() {
                    Ok(()) => (MediaStep::Kept { seq, digest, bytes }, "kept"),
                    Err(failure) => self.failed(due, format!("the file cannot be kept: {failure}")),
                }
            }
            Verdict::Same(digest, bytes) => (MediaStep::Kept { seq, digest, bytes }, "same"),
            Verdict::Failed(problem) => self.failed(due, problem),
            Verdict::Lost(problem) => self.lost(due, problem),
            Verdict::Gone => (MediaStep::Forgotten { seq }, "gone"),
            Verdict::NotNow => {
                self.busy.remove(&seq);
                return Ok(());
            }
        };
        self.sources.metrics.downloaded(result);
        if due.attempts == 0 {
            self.waiting.1 = self.waiting.1.saturating_sub(1);
        }
        if result != "failed" {
            self.waiting.0 = self.waiting.0.saturating_sub(1);
        }
        self.steps.push(step);
        Ok(())
    }

    fn failed(&self, due: DueFile, problem: String) -> (MediaStep, &'static str) {
        let delays = &self.settings.retry_seconds;
        let Some(&seconds) = delays.get(due.attempts as usize) else {
            return self.lost(due, problem);
        };
        debug!(
            seq = due.seq,
            "a file could not be downloaded yet: {problem}"
        );
        let delay = jittered(Duration::from_secs(seconds.into()), None);
        let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        let step = MediaStep::Failed {
            seq: due.seq,
            due_at: Some(UnixMillis(self.sources.clock.now().0.saturating_add(delay))),
            problem,
        };
        (step, "failed")
    }

    fn lost(&self, due: DueFile, problem: String) -> (MediaStep, &'static str) {
        let seq = due.seq;
        warn!(seq, "the file of event {seq} is lost: {problem}");
        let now = self.sources.clock.now();
        self.sources.troubles.observe(Trouble::FileLost, now, || {
            format!("the file of event {seq} is lost: {problem}")
        });
        let step = MediaStep::Failed {
            seq,
            due_at: None,
            problem,
        };
        (step, "lost")
    }

    /// Saves what is not saved yet, and forgets the rows of deleted events up to `expired`.
    async fn save(&mut self, expired: i64) -> Result<(), Stuck> {
        let store = &self.sources.store;
        let change = MediaChange {
            steps: self.steps.clone(),
            position: Some(self.position),
            expired,
        };
        store.save(change).await?;
        for step in self.steps.drain(..) {
            let (MediaStep::Named { seq, .. }
            | MediaStep::Kept { seq, .. }
            | MediaStep::Failed { seq, .. }
            | MediaStep::Forgotten { seq }) = step;
            self.busy.remove(&seq);
        }
        self.saved = self.position;
        Ok(())
    }

    /// Removes the files that only deleted events named.
    async fn expire(&mut self) -> Result<(), Stuck> {
        let deleted = self.sources.deleted.seq();
        if self.expired >= deleted {
            return Ok(());
        }
        let Some((last, digests)) = self.sources.store.expired(deleted, EXPIRED).await? else {
            self.expired = deleted;
            self.waiting = self.sources.store.waiting().await?;
            return Ok(());
        };
        self.save(last).await?;
        self.forgotten = last;
        for digest in digests {
            if self.sources.store.has(&digest).await? {
                continue;
            }
            let folder = self.downloader.folder.clone();
            let removed = spawn_blocking(move || folder.remove(&digest)).await;
            match removed.map_err(io::Error::other).flatten() {
                Ok(bytes) => self.downloader.room.give_back(bytes.unwrap_or(0)),
                // The next start removes it.
                Err(failure) => error!("a kept file cannot be removed: {failure}"),
            }
        }
        Ok(())
    }
}
