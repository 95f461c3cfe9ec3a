//! `GET /api/v1/stream`: events as server-sent events (HTML, section 9.2), without an end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::sse::{Event as ServerSent, KeepAlive, Sse};
use futures_util::stream::{self, Stream, StreamExt};
use hyper::HeaderMap;
use tracing::error;

use super::Api;
use super::filter::FilterParameters;
use super::parameters::Parameters;
use crate::http::Problem;
use crate::model::Event;
use crate::store::{EventQuery, Feed, Order, Page, Position, ReadError};

/// Events that are read at once.
const PAGE_EVENTS: u32 = 100;

/// Bytes of bodies that are read at once, one body at least. Each reader that is behind holds as
/// much of the memory for answers.
const PAGE_BYTES: usize = 128 * 1024;

/// How often a line without meaning is sent where nothing happens, so that proxies keep the
/// connection and a reader that is gone is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Events as server-sent events
///
/// They begin after `Last-Event-ID`, else after `after`, else with what comes next. A browser that
/// connects again sends both, and then the header is the newer.
#[utoipa::path(
    get,
    path = "/api/v1/stream",
    tag = "events",
    params(
        FilterParameters,
        ("after" = Option<i64>, Query, minimum = 0, description = "only what is behind this `seq`"),
        ("epoch" = Option<String>, Query, min_length = 1, description = "the epoch that was read before: of another one the answer is 409 `feed-rewound`"),
        ("last-event-id" = Option<i64>, Header, minimum = 0, description = "the last `seq` that was seen"),
    ),
    responses(
        (status = OK, description = "`id` is the seq, `event` the typeWebhook, `data` the Event with its body", body = String, content_type = "text/event-stream"),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn stream(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<ServerSent, Infallible>>>, Problem> {
    let mut parameters = Parameters::read(query.as_deref())?;
    let filter = FilterParameters::read(&mut parameters)?.into();
    let after = parameters.number("after", 0..=i64::MAX)?;
    let epoch = parameters.text("epoch")?;
    parameters.finish()?;
    api.check_epoch(epoch.as_deref())?;
    let after = match last_event_id(&headers)?.or(after) {
        Some(after) => {
            api.check_seen(after).await?;
            after
        }
        None => api.commits.newest(),
    };
    let query = EventQuery {
        filter,
        order: Order::Ascending,
        position: Position::After(after),
        limit: PAGE_EVENTS,
        max_bytes: PAGE_BYTES,
        with_body: true,
    };
    let feed = api.feed(query, after);
    let pages = stream::unfold(feed, |mut feed| async {
        next_page(&mut feed).await.map(|page| (page, feed))
    });
    let events = pages.flat_map(|page| {
        let Page {
            entries, memory, ..
        } = page;
        // The next event is asked for when those before it are written, so that the memory of the
        // page is held until then.
        stream::iter(entries).map(move |event| {
            let _ = &memory;
            Ok(server_sent(&event))
        })
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// The next page that has an event; `None` at the end of the stream.
async fn next_page(feed: &mut Feed) -> Option<Page<Event>> {
    loop {
        match feed.next(None).await {
            // Empty only when the program stops; the reader connects again to the next.
            Ok(page) if page.entries.is_empty() => return None,
            Ok(page) => return Some(page),
            // Other readers are served first; this one has time.
            Err(ReadError::Busy) => {}
            Err(failure) => {
                error!(%failure, "a stream ended early");
                return None;
            }
        }
    }
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
    let line = if json.contains(['\r', '\n']) {
        json.replace(['\r', '\n'], " ")
    } else {
        json
    };
    let sent = ServerSent::default().id(event.seq.to_string()).data(line);
    match &event.type_webhook {
        Some(name) if !name.contains(['\r', '\n']) => sent.event(name),
        _ => sent,
    }
}
