//! The start of a task: where a destination begins, and what was saved about it.

use super::{MAX_LANES, Queue, Task};
use crate::config::Start;
use crate::store::{ForwardChange, ReadError, Unavailable};

/// Why a task cannot start.
#[derive(Debug, thiserror::Error)]
pub(in crate::forward) enum ResumeError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Save(#[from] Unavailable),
}

impl Task {
    /// Where a new destination begins.
    pub(in crate::forward) fn first_position(&self) -> i64 {
        match self.settings.start {
            Start::Now => self.sources.commits.newest(),
            // What was deleted before the destination existed is not missing.
            Start::At(seq) => (seq - 1).max(self.sources.deleted.seq()),
        }
    }

    /// The saved position. That of a new destination is `first`, and is saved.
    pub(in crate::forward) async fn position(&self, first: i64) -> Result<i64, ResumeError> {
        if self.store().is_shared() {
            // The copy of this node may be behind.
            let after = (self.settings.start != Start::Now).then_some(first);
            self.store()
                .begin_shared(&self.settings.name, after)
                .await?;
        }
        if let Some(saved) = self.store().position(&self.settings.name).await? {
            return Ok(saved);
        }
        self.store().save(self.progress(Vec::new(), first)).await?;
        Ok(first)
    }

    /// Loads what was saved, and returns the position.
    pub(super) async fn resume(&mut self, first: i64) -> Result<i64, ResumeError> {
        // An event that is not copied yet would seem deleted.
        self.store().copied().await?;
        let start = self.position(first).await?;
        let destination = self.settings.name.clone();
        let change = ForwardChange::Resumed {
            destination,
            after: start,
            at: self.sources.clock.now(),
        };
        self.store().save(change).await?;
        let name = &self.settings.name;
        let saved = self.store().load(name, start, MAX_LANES).await?;
        self.report.dead(saved.dead);
        self.report.expired_before(saved.expired);
        self.queue = Queue::new(start, saved.lanes, saved.tried);
        self.saved_position = start;
        self.look_at_table = true;
        Ok(start)
    }
}
