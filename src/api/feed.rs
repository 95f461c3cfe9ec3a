//! `GET /api/v1/events?after=…`: a feed that misses nothing, by long polling.

use std::time::Duration;

use axum::response::Response;
use hyper::Uri;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::Api;
use super::listing::linked;
use crate::http::Problem;
use crate::model::Event;
use crate::store::EventQuery;

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventPage {
    /// The events, in order.
    pub(super) data: Vec<Event>,
    /// The cursor of the next page; null on the last page and in a feed.
    #[schema(required)]
    pub(super) next_cursor: Option<String>,
    /// The oldest stored `seq`; null if nothing is stored. A reader that continues from before it has missed the
    /// events in between, which are deleted.
    #[schema(required)]
    pub(super) oldest_seq: Option<i64>,
}

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
        oldest_seq: api.oldest_seq(),
    };
    let next = Some(("after", last.to_string()));
    Ok(linked(&events, page.memory, uri, next))
}
