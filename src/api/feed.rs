//! `GET /api/v1/events?after=…`: a feed that misses nothing, by long polling.

use std::time::Duration;

use axum::response::Response;
use hyper::Uri;
use tokio::time::Instant;

use super::Api;
use super::events::EventPage;
use super::listing::linked;
use crate::http::Problem;
use crate::store::EventQuery;

/// Answers with the next events after a seq. If there are none yet, waits up to `wait` for one. `Link` leads
/// on after the last event of the page.
pub(super) async fn read(
    api: &Api,
    query: EventQuery,
    after: i64,
    wait: Duration,
    uri: &Uri,
) -> Result<Response, Problem> {
    api.check_seen(after).await?;
    let deadline = Instant::now() + wait;
    let page = api.feed(query, after).next(Some(deadline)).await?;
    let last = page.entries.last().map_or(after, |event| event.seq);
    let events = EventPage {
        data: page.entries,
        next_cursor: None,
    };
    let next = Some(("after", last.to_string()));
    Ok(linked(&events, page.memory, uri, next))
}
