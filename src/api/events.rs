//! `GET /api/v1/events`: a list in pages, or a feed that misses nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::Uri;
use hyper::header::LINK;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use super::cursor::List;
use super::follow::Follower;
use super::listing::{self, link};
use super::parameters::Parameters;
use super::{Api, answer, cursor, filter};
use crate::http::Problem;
use crate::model::Event;
use crate::store::{EventQuery, Order, Position};

const NAME: &str = "events";
const MAX_WAIT_SECONDS: i64 = 60;

/// Bytes of the bodies of a page, at most; one event is given whatever it has.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventPage)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    /// The events, in order.
    data: Vec<Event>,
    /// Where the list goes on; null at its end, and in a feed.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// The parameters of the list beside its filters, as they are described to others.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "only what is made of it is read")]
pub(super) struct PageParameters {
    /// `desc` (the newest first) or `asc`; by default `desc`, and `asc` with `after`.
    #[param(pattern = "^(asc|desc)$")]
    order: Option<String>,
    /// Events of a page.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// `nextCursor` of the page before, with the same filters and order.
    #[param(min_length = 1)]
    cursor: Option<String>,
    /// Whether with their bodies.
    body: Option<bool>,
    /// Only what is behind this `seq`, ascending: a feed that misses nothing.
    #[param(minimum = 0)]
    after: Option<i64>,
    /// With `after`: seconds to wait where there is nothing yet.
    #[param(minimum = 0, maximum = 60, default = 0)]
    wait: Option<u32>,
    /// The epoch that was read before: of another one the answer is 409 `feed-rewound`, as where
    /// `after` is beyond the newest seq.
    #[param(min_length = 1)]
    epoch: Option<String>,
}

/// What was asked for.
struct Request {
    query: EventQuery,
    feed: Option<Feed>,
}

/// The list as a feed: what comes after a seq.
struct Feed {
    after: i64,
    wait: Duration,
}

/// Events in pages, or as a feed
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "events",
    params(filter::FilterParameters, PageParameters),
    responses(
        (status = OK, body = Page, headers(("link" = String, description = "where it goes on (RFC 8288)"))),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, Problem> {
    let request = read_request(&api, uri.query())?;
    let page = match &request.feed {
        None => {
            if request.query.filter.is_derived() {
                api.caught_up().await?;
            }
            api.reader.events(&request.query).await?
        }
        Some(feed) => {
            api.check_seen(feed.after).await?;
            let deadline = Instant::now() + feed.wait;
            Follower::new(&api, request.query.clone(), feed.after)
                .next(Some(deadline))
                .await?
        }
    };
    let EventQuery { filter, order, .. } = &request.query;
    let next_cursor = page.next.filter(|_| request.feed.is_none()).map(|seq| {
        let whole = List {
            name: NAME,
            filter,
            order: *order,
            epoch: api.reader.epoch(),
        };
        cursor::write(seq, whole)
    });
    let next = match &request.feed {
        None => next_cursor
            .as_ref()
            .map(|cursor| ("cursor", cursor.clone())),
        Some(feed) => {
            let seen = page.entries.last().map_or(feed.after, |event| event.seq);
            Some(("after", seen.to_string()))
        }
    };
    let data = Page {
        data: page.entries,
        next_cursor,
    };
    let body = answer::json(&data, page.memory);
    Ok(match next {
        None => body,
        Some((name, value)) => ([(LINK, link(&uri, name, &value))], body).into_response(),
    })
}

fn read_request(api: &Api, query: Option<&str>) -> Result<Request, Problem> {
    let mut parameters = Parameters::read(query)?;
    api.check_epoch(&mut parameters)?;
    let filter = filter::read(&mut parameters)?;
    let order = listing::order(&mut parameters)?;
    let limit = listing::limit(&mut parameters)?;
    let with_body = filter::flag(&mut parameters, "body")?;
    let cursor = parameters.text("cursor")?;
    let after = parameters.number("after", 0..=i64::MAX)?;
    let wait = parameters.number("wait", 0..=MAX_WAIT_SECONDS)?;
    parameters.finish()?;

    let conflict = |detail| Err(Problem::bad_parameter(detail));
    let (order, position, feed) = match (after, cursor) {
        (None, _) if wait.is_some() => return conflict("`wait` goes with `after`."),
        (Some(_), Some(_)) => return conflict("`cursor` and `after` exclude each other."),
        (Some(_), None) if order == Some(Order::Descending) => {
            return conflict("`after` is ascending; drop `order=desc`.");
        }
        (Some(after), None) => {
            let wait = Duration::from_secs(wait.unwrap_or(0).unsigned_abs());
            (
                Order::Ascending,
                Position::After(after),
                Some(Feed { after, wait }),
            )
        }
        (None, cursor) => {
            let order = order.unwrap_or(Order::Descending);
            let position = match cursor {
                None => Position::Start,
                Some(cursor) => {
                    let list = List {
                        name: NAME,
                        filter: &filter,
                        order,
                        epoch: api.reader.epoch(),
                    };
                    Position::After(listing::place(api, &cursor, list)?)
                }
            };
            (order, position, None)
        }
    };
    let with_body = with_body.unwrap_or(false);
    Ok(Request {
        query: EventQuery {
            filter,
            order,
            position,
            limit,
            max_bytes: PAGE_BYTES,
            with_body,
        },
        feed,
    })
}
