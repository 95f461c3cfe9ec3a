//! `GET /api/v1/stream`: events as server-sent events (HTML, section 9.2), without an end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::sse::{Event as ServerSent, KeepAlive, Sse};
use futures_util::stream::{self, Stream, StreamExt};
use hyper::HeaderMap;
use tracing::error;

use super::follow::Follower;
use super::parameters::Parameters;
use super::{Api, filter};
use crate::http::Problem;
use crate::store::{Event, EventQuery, Order, Position};

/// Events that are read at once. A reader that is slow costs this much memory, and no more.
const PAGE_EVENTS: u32 = 100;

/// Bytes of bodies that are read at once, one body at least.
const PAGE_BYTES: usize = 1024 * 1024;

/// How often a line without meaning is sent where nothing happens, so that proxies keep the
/// connection and a reader that is gone is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Streams what comes after `Last-Event-ID`, else after `after`, else from now on.
///
/// A browser that connects again sends both, and then the header is the newer.
pub(super) async fn stream(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<ServerSent, Infallible>>>, Problem> {
    let mut parameters = Parameters::read(query.as_deref())?;
    let filter = filter::read(&mut parameters)?;
    let after = parameters.number("after", 0..=i64::MAX)?;
    parameters.finish()?;
    let after = last_event_id(&headers)?
        .or(after)
        .unwrap_or_else(|| api.commits.newest());
    let query = EventQuery {
        filter,
        order: Order::Ascending,
        position: Position::Behind(after),
        limit: PAGE_EVENTS,
        max_bytes: PAGE_BYTES,
        with_body: true,
    };
    let follower = Follower::new(&api, query, after);
    let pages = stream::unfold(follower, |mut follower| async {
        match follower.next(None).await {
            // Empty only when the program stops; the reader connects again to the next.
            Ok(page) if page.events.is_empty() => None,
            Ok(page) => Some((page.events, follower)),
            Err(failure) => {
                error!(%failure, "a stream ended early");
                None
            }
        }
    });
    let events = pages.flat_map(|events| stream::iter(events).map(|event| Ok(server_sent(&event))));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let seq = value
        .to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .filter(|seq| *seq >= 0);
    seq.map(Some)
        .ok_or_else(|| Problem::bad_parameter("`Last-Event-ID` must be a whole number, 0 or more."))
}

fn server_sent(event: &Event) -> ServerSent {
    // What it is made of is always JSON, so it cannot fail.
    let json = serde_json::to_string(event).unwrap_or_default();
    // A line ends the field. In JSON a line break can only stand between values.
    let line = json.replace(['\r', '\n'], " ");
    let sent = ServerSent::default().id(event.seq.to_string()).data(line);
    match &event.type_webhook {
        Some(name) if !name.contains(['\r', '\n']) => sent.event(name),
        _ => sent,
    }
}
