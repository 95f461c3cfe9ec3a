//! Follows events as they are committed. A commit only wakes the feed; the events themselves are always read
//! from the database, so none is missed between reading and waiting.

use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::commits::Commits;
use super::error::ReadError;
use super::projection::Projected;
use super::query::events::EventQuery;
use super::query::page::Page;
use super::query::page::Position;
use super::query::reader::Reader;
use crate::model::Event;

/// How much longer than its deadline a filtered feed waits for the projection. An empty page is a correct
/// answer even then: the caller asks again.
const PROJECTION_WAIT: Duration = Duration::from_secs(5);

/// Reads everything after a seq, page by page.
#[derive(Debug)]
pub struct Feed {
    reader: Reader,
    commits: Commits,
    projected: Projected,
    stop: CancellationToken,
    query: EventQuery,
    last: i64,
}

impl Feed {
    /// A feed of the events that match `query`, after the seq `after`. It ends when `stop` is cancelled.
    #[must_use]
    pub fn new(
        reader: Reader,
        commits: Commits,
        projected: Projected,
        stop: CancellationToken,
        query: EventQuery,
        after: i64,
    ) -> Self {
        Self {
            reader,
            commits,
            projected,
            stop,
            query,
            last: after,
        }
    }

    /// Every event up to this seq was returned or does not match.
    #[must_use]
    pub const fn position(&self) -> i64 {
        self.last
    }

    /// Leaves out the events up to this seq.
    pub fn skip_to(&mut self, seq: i64) {
        self.last = self.last.max(seq);
    }

    /// The next page. Waits for one until `deadline`, for ever if there is none. The page is empty only if
    /// the deadline has passed or the program stops.
    ///
    /// # Errors
    ///
    /// The events cannot be read.
    pub async fn next(&mut self, deadline: Option<Instant>) -> Result<Page<Event>, ReadError> {
        loop {
            let newest = self.commits.newest();
            if self.query.filter.is_derived() {
                tokio::select! {
                    () = self.projected.reach(newest) => {}
                    () = passed(deadline.map(|deadline| deadline + PROJECTION_WAIT)) => {
                        return Ok(Page::empty());
                    }
                    () = self.stop.cancelled() => return Ok(Page::empty()),
                }
            }
            let page = self.read().await?;
            if !page.entries.is_empty() {
                return Ok(page);
            }
            tokio::select! {
                () = self.commits.after(newest) => {}
                () = passed(deadline) => return Ok(page),
                () = self.stop.cancelled() => return Ok(page),
            }
        }
    }

    /// Waits until there is an event that [`read`](Self::read) can return or pass over. It asks the projection for no
    /// more than that event, so that a reader that is behind does not take the projection's rest in a burst. Nothing
    /// is lost if the future is dropped.
    pub async fn ready(&mut self) {
        self.commits.after(self.last).await;
        if self.query.filter.is_derived() {
            self.projected.reach(self.last + 1).await;
        }
    }

    /// Reads the next page without waiting. It is empty if no event that can be read now matches.
    ///
    /// # Errors
    ///
    /// The events cannot be read.
    pub async fn read(&mut self) -> Result<Page<Event>, ReadError> {
        let newest = self.commits.newest();
        let readable = if !self.query.filter.is_derived() {
            newest
        } else if self.projected.has_reached(self.last + 1) {
            newest.min(self.projected.seq())
        } else {
            self.last
        };
        self.query.position = Position::After(self.last);
        let page = self.reader.events(&self.query).await?;
        // Without a match, every event that was readable before this read was looked at.
        let through = page.entries.last().map_or(readable, |event| event.seq);
        self.last = self.last.max(through);
        Ok(page)
    }
}

async fn passed(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}
