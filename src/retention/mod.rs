//! The disk budget: measures the space, refuses notifications while there is none, and deletes the oldest events in
//! small steps.
//!
//! A step waits in the writer's queue like a notification, and retention rests after each in proportion to the time
//! that it took, so that receiving hardly notices.

mod compressing;
mod freed;
mod marks;
mod shared;
mod thinning;

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tracing::{error, info};

pub use freed::Freed;

use crate::clock::{Clock, UnixMillis};
use crate::config::{Compression, Storage};
use crate::metrics::Metrics;
use crate::store::{Closed, Duty, Space, Unavailable, Usage};
use crate::trouble::{Trouble, Troubles};
use compressing::Compressing;
use marks::Marks;
use thinning::Thinning;

/// Time between two measurements while nothing is deleted. What arrives meanwhile must fit into the room that is
/// kept free.
const INTERVAL: Duration = Duration::from_millis(250);

/// Events that are considered at a time. They are forgotten by the projection, then deleted in steps.
const BATCH: u32 = 256;

/// Rest after a step, as a multiple of the time that it took.
const REST: u32 = 3;

/// Free pages (4 KiB each) that one step gives back while the files are too large.
const RELEASED_PAGES: u32 = 64;

/// Time for the projection to forget a batch. Beyond it, retention reports that it is stuck, and tries again.
const FORGET_TIMEOUT: Duration = Duration::from_mins(1);

/// Milliseconds between two log lines about the same trouble.
const LOG_INTERVAL: i64 = 60 * 60 * 1000;

/// Keeps the database within its budget.
#[derive(Debug)]
pub struct Retention {
    space: Space,
    /// Of several nodes, the one that deletes from PostgreSQL.
    duty: Duty,
    settings: watch::Receiver<Storage>,
    marks: Marks,
    clock: Clock,
    troubles: Troubles,
    freed: Freed,
    thinning: Thinning,
    compressing: Compressing,
    metrics: Metrics,
    closed: Option<Closed>,
    /// When it was last logged that nothing can be deleted.
    stuck_logged: Option<UnixMillis>,
}

/// Why events that should be deleted are not.
#[derive(Debug, thiserror::Error)]
enum Stuck {
    #[error("the space cannot be measured: {0}")]
    Measure(io::Error),
    #[error("the oldest events cannot be read: {0}")]
    Read(io::Error),
    #[error("the projection does not forget them")]
    Projection,
    #[error("the writer does not delete them: {0}")]
    Writer(Unavailable),
    #[error("PostgreSQL does not delete them: {0}")]
    Shared(io::Error),
    #[error("no event is left to delete, and {used} bytes are in use")]
    Empty { used: u64 },
}

impl Retention {
    /// Keeps the database of `space` within the budget of `settings`, which may change.
    #[must_use]
    pub fn new(
        (space, duty): (Space, Duty),
        settings: watch::Receiver<Storage>,
        clock: Clock,
        troubles: Troubles,
        metrics: Metrics,
    ) -> Self {
        let marks = Marks::of(&settings.borrow());
        let compresses = settings.borrow().compression == Compression::Zstd;
        space.set_compression(compresses);
        let compressing = Compressing::new(compresses, space.newest());
        Self {
            space,
            duty,
            marks,
            settings,
            clock,
            troubles,
            freed: Freed::default(),
            thinning: Thinning::default(),
            compressing,
            metrics,
            closed: None,
            stuck_logged: None,
        }
    }

    /// What was deleted so far.
    #[must_use]
    pub fn freed(&self) -> Freed {
        self.freed.clone()
    }

    /// Runs until it is dropped.
    pub async fn run(mut self) -> Infallible {
        loop {
            match self.turn().await {
                Ok(is_done) => {
                    self.troubles.end(Trouble::RetentionStuck);
                    self.stuck_logged = None;
                    if is_done {
                        sleep(INTERVAL).await;
                    }
                }
                Err(stuck) => {
                    self.report_stuck(&stuck);
                    sleep(INTERVAL).await;
                }
            }
        }
    }

    /// Measures the space, and decides whether notifications are stored.
    ///
    /// # Errors
    ///
    /// The file system or the database cannot be read.
    pub async fn measure(&mut self) -> io::Result<Usage> {
        self.take_reloaded();
        let usage = self.space.usage().await?;
        let is_low = usage.disk_free < self.marks.min_free;
        let is_full = self.marks.full.is_some_and(|full| usage.used() >= full);
        let closed = if is_low {
            Some(Closed::DiskLow)
        } else {
            is_full.then_some(Closed::OverBudget)
        };
        self.space.admit(closed, self.marks.room(&usage));
        if closed != self.closed {
            self.closed = closed;
            log_closed(closed, &usage, &self.marks);
        }
        if is_low {
            let (free, least) = (usage.disk_free, self.marks.min_free);
            self.troubles
                .observe(Trouble::DiskLow, self.clock.now(), || {
                    format!("{free} bytes are free on the disk, less than {least}")
                });
        } else {
            self.troubles.end(Trouble::DiskLow);
        }
        Ok(usage)
    }

    /// Goes on with the settings as they are now. A batch that the projection has forgotten is deleted all the same.
    fn take_reloaded(&mut self) {
        // An error means that nobody can change them any more.
        if self.settings.has_changed().unwrap_or(false) {
            let settings = self.settings.borrow_and_update();
            self.marks = Marks::of(&settings);
            self.space.set_budget(settings.max_bytes);
            let compresses = settings.compression == Compression::Zstd;
            self.space.set_compression(compresses);
            self.compressing.set(compresses);
            self.thinning.resume();
        }
    }

    /// Deletes one batch, if there is something to delete. Returns whether nothing is left to do.
    async fn turn(&mut self) -> Result<bool, Stuck> {
        let usage = self.measure().await.map_err(Stuck::Measure)?;
        if let Some(through) = self.space.half_deleted() {
            self.delete(through).await?;
            return Ok(false);
        }
        if self.space.is_shared() {
            if self.turn_shared(&usage).await? {
                return Ok(false);
            }
        } else if self.marks.delete() {
            let oldest = self.space.oldest(BATCH).await.map_err(Stuck::Read)?;
            let now = self.clock.now().0;
            if let Some(through) = self.marks.last_to_delete(&oldest, &usage, now) {
                let start = Instant::now();
                let through = self.forget(through).await?;
                self.rest(start.elapsed(), &usage).await;
                self.delete(through).await?;
                return Ok(false);
            }
            if oldest.is_empty() && self.marks.excess(&usage) > 0 {
                return Err(Stuck::Empty { used: usage.used() });
            }
        }
        if self.releases(&usage) > 0 {
            self.step(0, &usage).await?;
            return Ok(false);
        }
        let start = Instant::now();
        let mut has_more = self
            .thinning
            .turn(&self.space, &self.marks, &self.clock, &self.metrics)
            .await;
        if !has_more && self.closed != Some(Closed::DiskLow) {
            has_more = self.compressing.turn(&mut self.space, &self.clock).await;
        }
        if has_more {
            self.rest(start.elapsed(), &usage).await;
        }
        Ok(!has_more)
    }

    /// Makes the projection forget, and goes on measuring meanwhile. Returns the last forgotten seq.
    async fn forget(&mut self, through: i64) -> Result<i64, Stuck> {
        let start = Instant::now();
        while start.elapsed() < FORGET_TIMEOUT {
            match timeout(INTERVAL, self.space.forget(through)).await {
                Ok(forgotten) => return Ok(forgotten),
                Err(_) => self.measure().await.map_err(Stuck::Measure)?,
            };
        }
        Err(Stuck::Projection)
    }

    /// Deletes forgotten events step by step.
    async fn delete(&mut self, through: i64) -> Result<(), Stuck> {
        loop {
            let usage = self.measure().await.map_err(Stuck::Measure)?;
            if self.step(through, &usage).await? >= through {
                return Ok(());
            }
        }
    }

    /// Runs one step, and rests. Returns the last deleted seq.
    async fn step(&mut self, through: i64, usage: &Usage) -> Result<i64, Stuck> {
        let start = Instant::now();
        let pruned = self
            .space
            .delete(through, self.releases(usage))
            .await
            .map_err(Stuck::Writer)?;
        self.freed.add(pruned.events, pruned.bytes);
        self.metrics.deleted(pruned.events, pruned.bytes);
        self.rest(start.elapsed(), usage).await;
        Ok(pruned.through)
    }

    /// Rests after work that took a time.
    async fn rest(&self, took: Duration, usage: &Usage) {
        // Close to the budget, deleting comes first: otherwise notifications would soon be refused.
        if !self.marks.is_pressing(usage) {
            sleep(took * REST).await;
        }
    }

    /// Free pages to give back: only if the files are larger than the budget allows. Otherwise new events use them.
    fn releases(&self, usage: &Usage) -> u32 {
        match self.marks.full {
            Some(full) if usage.files > full => usage.free_pages.min(RELEASED_PAGES),
            _ => 0,
        }
    }

    fn report_stuck(&mut self, stuck: &Stuck) {
        let now = self.clock.now();
        self.troubles
            .observe(Trouble::RetentionStuck, now, || stuck.to_string());
        let is_due = self
            .stuck_logged
            .is_none_or(|logged| now.0 - logged.0 >= LOG_INTERVAL);
        if is_due {
            self.stuck_logged = Some(now);
            error!(
                %stuck,
                "retention should delete the oldest events and cannot: {stuck}\n  help: raise storage.max_bytes, or \
                 look for earlier errors of the database and its projection; retention tries again"
            );
        }
    }
}

fn log_closed(closed: Option<Closed>, usage: &Usage, marks: &Marks) {
    let (used, free) = (usage.used(), usage.disk_free);
    match closed {
        None => info!(used, free, "there is room again: notifications are stored"),
        Some(Closed::DiskLow) => error!(
            free,
            "notifications are refused with 503: {free} bytes are free on the disk, less than \
             storage.min_free_bytes ({})\n  help: free disk space; GREEN-API sends each notification again for 24 \
             hours",
            marks.min_free
        ),
        Some(Closed::OverBudget) => error!(
            used,
            "notifications are refused with 503: {used} bytes are in use, and storage.max_bytes leaves no more \
             room\n  help: raise storage.max_bytes, or set storage.when_full = \"drop-oldest\" or \
             storage.retention_days, and reload the configuration (SIGHUP); GREEN-API sends each notification again for 24 hours"
        ),
    }
}
