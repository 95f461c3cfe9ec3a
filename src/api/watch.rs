//! The stream for a person who watches it: a few events at a time. After a burst it goes on with the newest events.

use std::time::Duration;

use axum::response::sse::Event as ServerSent;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use crate::model::Event;
use crate::store::{Feed, Page};

/// Events of one page.
pub(super) const PAGE_EVENTS: u32 = 25;

/// Time from one page to the next.
const INTERVAL: Duration = Duration::from_millis(250);

/// The same after events were skipped: in a burst, all open views together must not slow down receiving.
const INTERVAL_OF_BURST: Duration = Duration::from_secs(2);

/// Events behind the newest one. Beyond it the stream skips to the last page of them.
const MOST_BEHIND: i64 = 500;

/// The pace of one stream.
#[derive(Debug)]
pub(super) struct Watch {
    next_at: Instant,
    /// Time from the current page to the next.
    interval: Duration,
    /// Whether the last page was full. If it was not, the feed is not behind, however few events match its filters.
    is_full: bool,
}

/// Events that the stream leaves out. The keys are none of an event's.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Skipped {
    /// The last event before them.
    skipped_after: i64,
    /// The last of them.
    skipped_through: i64,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            next_at: Instant::now(),
            interval: INTERVAL,
            is_full: false,
        }
    }

    /// Waits until the next page may be read, and skips what the feed is too far behind. `newest` is read after the
    /// wait.
    pub(super) async fn turn(
        &mut self,
        feed: &mut Feed,
        newest: impl Fn() -> i64,
    ) -> Option<Skipped> {
        sleep_until(self.next_at).await;
        let (after, newest) = (feed.position(), newest());
        let is_behind = self.is_full && newest.saturating_sub(after) > MOST_BEHIND;
        self.interval = if is_behind {
            INTERVAL_OF_BURST
        } else {
            INTERVAL
        };
        is_behind.then(|| {
            let through = newest - i64::from(PAGE_EVENTS);
            feed.skip_to(through);
            Skipped {
                skipped_after: after,
                skipped_through: through,
            }
        })
    }

    /// Notes the page that was read.
    pub(super) fn read(&mut self, page: &Page<Event>) {
        self.next_at = Instant::now() + self.interval;
        self.is_full = page.next.is_some();
    }
}

impl Skipped {
    /// The message that says so. Its id makes a client that reconnects go on behind it.
    pub(super) fn message(&self) -> ServerSent {
        // Cannot fail: two numbers always serialize to JSON.
        let json = serde_json::to_string(self).unwrap_or_default();
        ServerSent::default()
            .id(self.skipped_through.to_string())
            .event("skipped")
            .data(json)
    }
}
