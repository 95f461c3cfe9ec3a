//! `GET /api/v1/stream`: an endless stream of server-sent events (HTML standard, section 9.2).

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
use super::watch::{self, Watch};
use crate::http::Problem;
use crate::model::Event;
use crate::store::{EventQuery, Feed, Order, Page, Position, ReadError};

/// Events per read of the database.
const PAGE_EVENTS: u32 = 100;

/// Bytes of bodies per read of the database, but at least one body. Each client that lags behind holds this
/// much of the response memory.
const PAGE_BYTES: usize = 128 * 1024;

/// Interval of comment lines on an idle stream. They make proxies keep the connection, and sending them
/// reveals a client that is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Streams events as server-sent events
///
/// The stream starts after the `Last-Event-ID` header or, without it, after `after`. Without both it starts
/// with the next event that is stored. A browser that reconnects sends both; the header then has the newer
/// seq.
#[utoipa::path(
    get,
    path = "/api/v1/stream",
    tag = "events",
    params(
        FilterParameters,
        ("after" = Option<i64>, Query, minimum = 0, description = "only events after this `seq`"),
        ("epoch" = Option<String>, Query, min_length = 1, description = "the epoch of an earlier response; if the database has another one, the answer is 409 `feed-rewound`"),
        ("watch" = Option<bool>, Query, description = "for a person who watches: at most 25 events each 250 ms; a reader that is more than 500 events behind gets an event `skipped` and then the newest"),
        ("last-event-id" = Option<i64>, Header, minimum = 0, description = "`seq` of the last event received"),
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
    let watch = parameters.flag("watch")?.unwrap_or(false).then(Watch::new);
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
        limit: watch.as_ref().map_or(PAGE_EVENTS, |_| watch::PAGE_EVENTS),
        max_bytes: PAGE_BYTES,
        with_body: true,
    };
    let feed = api.feed(query, after);
    let reading = api.metrics.reading("stream");
    let (reader, epoch) = (api.reader.clone(), api.reader.epoch());
    let pages = stream::unfold(
        (feed, watch, reading),
        move |(mut feed, mut watch, reading)| {
            let (api, reader, epoch) = (Arc::clone(&api), reader.clone(), Arc::clone(&epoch));
            async move {
                let skipped = match &mut watch {
                    Some(watch) => watch.turn(&mut feed, || api.commits.newest()).await,
                    None => None,
                };
                let page = next_page(&mut feed).await?;
                if let Some(watch) = &mut watch {
                    watch.read(&page);
                }
                // The events that the client has seen were parsed again. It reconnects, and the header has the new epoch.
                (*reader.epoch() == *epoch).then_some(((skipped, page), (feed, watch, reading)))
            }
        },
    );
    let events = pages.flat_map(|(skipped, page)| {
        let skipped = skipped.map(|skipped| Ok(skipped.message()));
        let Page {
            entries, memory, ..
        } = page;
        // The closure holds the memory reservation of the page. An event is requested only after the
        // previous one is written, so the reservation lasts until then.
        let events = stream::iter(entries).map(move |event| {
            let _ = &memory;
            Ok(server_sent(&event))
        });
        stream::iter(skipped).chain(events)
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// The next page with at least one event; `None` ends the stream.
async fn next_page(feed: &mut Feed) -> Option<Page<Event>> {
    loop {
        match feed.next(None).await {
            // A page is empty only if the program stops. The client then reconnects.
            Ok(page) if page.entries.is_empty() => return None,
            Ok(page) => return Some(page),
            // A stream can wait: other readers go first, and it tries again.
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
    // Cannot fail: the API's types always serialize to JSON.
    let json = serde_json::to_string(event).unwrap_or_default();
    // A line break would end the `data` field. In JSON it can occur only between tokens, where a space means
    // the same.
    let data = if json.contains(['\r', '\n']) {
        json.replace(['\r', '\n'], " ")
    } else {
        json
    };
    let message = ServerSent::default().id(event.seq.to_string()).data(data);
    match &event.type_webhook {
        Some(name) if !name.contains(['\r', '\n']) => message.event(name),
        _ => message,
    }
}
