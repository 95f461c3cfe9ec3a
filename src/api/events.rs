//! `GET /api/v1/events`: events in pages. With `after` the list is a feed (see `feed.rs`).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use hyper::Uri;
use utoipa::IntoParams;

use super::Api;
use super::feed::{self, EventPage};
use super::filter::FilterParameters;
use super::listing::{OrderParameter, PageParameters, PageRequest, linked};
use super::parameters::Parameters;
use crate::http::Problem;
use crate::store::{EventQuery, Order, Position};

/// Seconds that a feed may wait; a longer wait is a 400.
const MAX_WAIT_SECONDS: i64 = 60;

/// Bytes of the bodies of a page. A page ends before it exceeds them, but has one event in any case.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// The parameters that only events have.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct EventParameters {
    /// Whether each event has its body.
    body: Option<bool>,
    /// Only events after this `seq`, ascending: a feed that misses nothing.
    #[param(minimum = 0)]
    after: Option<i64>,
    /// With `after`: seconds to wait for an event if there is none yet.
    #[param(value_type = Option<u32>, minimum = 0, maximum = 60, default = 0)]
    wait: Option<i64>,
}

impl EventParameters {
    fn read(parameters: &mut Parameters<'_>) -> Result<Self, Problem> {
        Ok(Self {
            body: parameters.flag("body")?,
            after: parameters.number("after", 0..=i64::MAX)?,
            wait: parameters.number("wait", 0..=MAX_WAIT_SECONDS)?,
        })
    }
}

/// Lists events in pages, or follows them as a feed
///
/// With `after` the order is ascending and `Link` leads on even if nothing is there yet. If `after` is
/// beyond the newest seq, the answer is 409 `feed-rewound`.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "events",
    params(FilterParameters, OrderParameter, PageParameters, EventParameters),
    responses(
        (status = OK, body = EventPage, headers(("link" = String, description = "the next page (RFC 8288)"))),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, Problem> {
    let mut parameters = Parameters::read(uri.query())?;
    let filter = FilterParameters::read(&mut parameters)?.into();
    let own = EventParameters::read(&mut parameters)?;
    let conflict = |detail| Err(Problem::bad_parameter(detail));
    let order = match (own.after, OrderParameter::read(&mut parameters)?.order) {
        (Some(_), Some(Order::Descending)) => {
            return conflict("`after` is ascending; drop `order=desc`.");
        }
        (Some(_), _) => Order::Ascending,
        (None, order) => order.unwrap_or(Order::Descending),
    };
    let page = PageRequest::read(&api, &mut parameters, "events", order)?;
    parameters.finish()?;
    let query = EventQuery {
        filter,
        order,
        position: page.position,
        limit: page.limit,
        max_bytes: PAGE_BYTES,
        with_body: own.body.unwrap_or(false),
    };
    match (own.after, own.wait) {
        (Some(_), _) if page.position != Position::Start => {
            conflict("`cursor` and `after` exclude each other.")
        }
        (None, Some(_)) => conflict("`wait` goes with `after`."),
        (Some(after), wait) => {
            let wait = Duration::from_secs(wait.unwrap_or(0).unsigned_abs());
            feed::read(&api, query, after, wait, &uri).await
        }
        (None, None) => {
            if query.filter.is_derived() {
                api.caught_up().await?;
            }
            let read = api.reader.events(&query).await?;
            let next_cursor = page.cursor(read.next);
            let next = next_cursor.clone().map(|cursor| ("cursor", cursor));
            let events = EventPage {
                data: read.entries,
                next_cursor,
                oldest_seq: api.oldest_seq(),
            };
            Ok(linked(&events, read.memory, &uri, next))
        }
    }
}
