//! What all lists share: order, limit, cursor, and the way to the next page.

use axum::response::{IntoResponse, Response};
use hyper::Uri;
use hyper::header::LINK;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::cursor::{self, List, Unusable};
use super::parameters::Parameters;
use super::{Api, answer};
use crate::http::Problem;
use crate::store::{Order, Page, Position};

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 500;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed<T> {
    /// The entries, in order.
    data: Vec<T>,
    /// Where the list goes on; null at its end.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// The parameters of a list that has one order, as they are described to others.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "only what is made of it is read")]
pub(super) struct PageParameters {
    /// Entries of a page.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// `nextCursor` of the page before, with the same filters and order.
    #[param(min_length = 1)]
    cursor: Option<String>,
    /// The epoch that was read before: of another one the answer is 409 `feed-rewound`.
    #[param(min_length = 1)]
    epoch: Option<String>,
}

/// The parameters of a list that may be turned around, as they are described to others.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "only what is made of it is read")]
pub(super) struct OrderParameter {
    /// `desc` (the newest first, by default) or `asc`.
    #[param(pattern = "^(asc|desc)$")]
    order: Option<String>,
}

/// Takes the order.
pub(super) fn order(parameters: &mut Parameters<'_>) -> Result<Option<Order>, Problem> {
    parameters.value("order", "`asc` or `desc`", |text| match text {
        "asc" => Some(Order::Ascending),
        "desc" => Some(Order::Descending),
        _ => None,
    })
}

/// Takes the number of entries of a page.
pub(super) fn limit(parameters: &mut Parameters<'_>) -> Result<u32, Problem> {
    let limit = parameters.number("limit", 1..=i64::from(MAX_LIMIT))?;
    let limit = limit.and_then(|limit| u32::try_from(limit).ok());
    Ok(limit.unwrap_or(DEFAULT_LIMIT))
}

/// Takes the place where a page begins.
pub(super) fn position(
    api: &Api,
    parameters: &mut Parameters<'_>,
    list: List<'_>,
) -> Result<Position, Problem> {
    api.check_epoch(parameters)?;
    match parameters.text("cursor")? {
        None => Ok(Position::Start),
        Some(cursor) => place(api, &cursor, list).map(Position::After),
    }
}

/// The place that a cursor of this list says.
pub(super) fn place(api: &Api, cursor: &str, list: List<'_>) -> Result<i64, Problem> {
    cursor::read(cursor, list).map_err(|unusable| match unusable {
        Unusable::Foreign => {
            Problem::bad_parameter("`cursor` is not one of this list with these filters.")
        }
        Unusable::Rewound => api.rewound(),
    })
}

/// A page, with the way to the next one.
pub(super) fn answer<T: Serialize>(page: Page<T>, uri: &Uri, list: List<'_>) -> Response {
    let next_cursor = page.next.map(|place| cursor::write(place, list));
    let link = next_cursor
        .as_ref()
        .map(|cursor| link(uri, "cursor", cursor));
    let listed = Listed {
        data: page.entries,
        next_cursor,
    };
    let body = answer::json(&listed, page.memory);
    match link {
        None => body,
        Some(link) => ([(LINK, link)], body).into_response(),
    }
}

/// Where the list goes on (RFC 8288): the same query with one parameter set.
pub(super) fn link(uri: &Uri, name: &str, value: &str) -> String {
    let mut next = form_urlencoded::Serializer::new(String::new());
    for (other, kept) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if other != name {
            next.append_pair(&other, &kept);
        }
    }
    next.append_pair(name, value);
    format!("<{}?{}>; rel=\"next\"", uri.path(), next.finish())
}
