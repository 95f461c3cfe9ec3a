//! `GET /api/v1/events`: a list in pages, or a feed that misses nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::Uri;
use hyper::header::LINK;
use serde::Serialize;
use tokio::time::Instant;

use super::follow::Follower;
use super::parameters::Parameters;
use super::{Api, cursor, filter};
use crate::http::Problem;
use crate::store::{Event, EventQuery, Order, Position};

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 500;
const MAX_WAIT_SECONDS: i64 = 60;

/// Bytes of bodies in one page; a page that has more ends early, and goes on behind its cursor.
const MAX_PAGE_BYTES: usize = 32 * 1024 * 1024;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    data: Vec<Event>,
    next_cursor: Option<String>,
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

/// Lists events.
pub(super) async fn list(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, Problem> {
    let request = read_request(uri.query())?;
    let page = match &request.feed {
        None => api.reader.events(&request.query).await?,
        Some(feed) => {
            let deadline = Instant::now() + feed.wait;
            Follower::new(&api, request.query.clone(), feed.after)
                .next(Some(deadline))
                .await?
        }
    };
    let EventQuery { filter, order, .. } = &request.query;
    let last = page
        .events
        .last()
        .map(|event| event.seq)
        .filter(|_| page.more);
    let next_cursor = last
        .filter(|_| request.feed.is_none())
        .map(|seq| cursor::write(seq, filter, *order));
    let next = match &request.feed {
        None => next_cursor
            .as_ref()
            .map(|cursor| ("cursor", cursor.clone())),
        Some(feed) => {
            let seen = page.events.last().map_or(feed.after, |event| event.seq);
            Some(("after", seen.to_string()))
        }
    };
    let body = Json(Page {
        data: page.events,
        next_cursor,
    });
    Ok(match next {
        None => body.into_response(),
        Some((name, value)) => {
            let link = link(&uri, name, &value);
            ([(LINK, link)], body).into_response()
        }
    })
}

fn read_request(query: Option<&str>) -> Result<Request, Problem> {
    let mut parameters = Parameters::read(query)?;
    let filter = filter::read(&mut parameters)?;
    let order = parameters.value("order", "`asc` or `desc`", |text| match text {
        "asc" => Some(Order::Ascending),
        "desc" => Some(Order::Descending),
        _ => None,
    })?;
    let limit = parameters.number("limit", 1..=i64::from(MAX_LIMIT))?;
    let limit = limit
        .and_then(|limit| u32::try_from(limit).ok())
        .unwrap_or(DEFAULT_LIMIT);
    let with_body = parameters.value("body", "`true` or `false`", |text| text.parse().ok())?;
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
                Position::Behind(after),
                Some(Feed { after, wait }),
            )
        }
        (None, cursor) => {
            let order = order.unwrap_or(Order::Descending);
            let position = match cursor {
                None => Position::Start,
                Some(cursor) => match cursor::read(&cursor, &filter, order) {
                    Some(seq) => Position::Behind(seq),
                    None => {
                        return conflict("`cursor` is not one of this list with these filters.");
                    }
                },
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
            max_bytes: MAX_PAGE_BYTES,
            with_body,
        },
        feed,
    })
}

/// Where the list goes on (RFC 8288): the same query with one parameter set.
fn link(uri: &Uri, name: &str, value: &str) -> String {
    let mut next = form_urlencoded::Serializer::new(String::new());
    for (other, kept) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if other != name {
            next.append_pair(&other, &kept);
        }
    }
    next.append_pair(name, value);
    format!("<{}?{}>; rel=\"next\"", uri.path(), next.finish())
}
