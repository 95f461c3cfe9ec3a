//! Follows events as they are committed. What is given out is always read from the database, and a
//! commit only wakes, so that nothing is missed between reading and waiting.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Api;
use crate::model::Event;
use crate::store::{Commits, EventQuery, Page, Position, Projected, ReadError, Reader};

/// How much longer than until its deadline a feed with filters waits for what is committed to be
/// found by them. An empty page is right after that too: its reader asks again.
const CATCHING_UP: Duration = Duration::from_secs(5);

/// A reader of everything after a seq, page by page.
#[derive(Debug)]
pub(super) struct Follower {
    reader: Reader,
    commits: Commits,
    projected: Projected,
    stop: CancellationToken,
    query: EventQuery,
    seen: i64,
}

impl Follower {
    /// Follows what `query` asks for, after the seq `after`.
    pub(super) fn new(api: &Api, query: EventQuery, after: i64) -> Self {
        Self {
            reader: api.reader.clone(),
            commits: api.commits.clone(),
            projected: api.projected.clone(),
            stop: api.stop.clone(),
            query,
            seen: after,
        }
    }

    /// The next page, waiting for one until `deadline`; an empty one when it has passed or the
    /// program stops.
    pub(super) async fn next(
        &mut self,
        deadline: Option<Instant>,
    ) -> Result<Page<Event>, ReadError> {
        loop {
            let newest = self.commits.newest();
            if self.query.filter.is_derived() {
                tokio::select! {
                    () = self.projected.reach(newest) => {}
                    () = passed(deadline.map(|deadline| deadline + CATCHING_UP)) => {
                        return Ok(Page::empty());
                    }
                    () = self.stop.cancelled() => return Ok(Page::empty()),
                }
            }
            self.query.position = Position::After(self.seen);
            let page = self.reader.events(&self.query).await?;
            if let Some(last) = page.entries.last() {
                self.seen = last.seq;
                return Ok(page);
            }
            // None of those that were committed before it read is asked for.
            self.seen = self.seen.max(newest);
            tokio::select! {
                () = self.commits.after(newest) => {}
                () = passed(deadline) => return Ok(page),
                () = self.stop.cancelled() => return Ok(page),
            }
        }
    }
}

async fn passed(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
