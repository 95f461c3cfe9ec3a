//! What all lists share: order, limit, cursor, and the link to the next page.

use axum::response::{IntoResponse, Response};
use hyper::Uri;
use hyper::header::LINK;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::cursor::{Cursors, Unusable};
use super::parameters::Parameters;
use super::{Api, answer};
use crate::http::Problem;
use crate::store::{Order, Page, Position, Reserved};

/// Entries of a page where the request sets no limit.
const DEFAULT_LIMIT: u32 = 50;

/// Entries of a page; a larger limit is a 400.
const MAX_LIMIT: i64 = 500;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed<T> {
    /// The entries, in order.
    data: Vec<T>,
    /// The cursor of the next page; null on the last page.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// The paging parameters of every list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct PageParameters {
    /// Entries of a page.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// `nextCursor` of the previous page, with the same filters and order.
    #[param(min_length = 1)]
    cursor: Option<String>,
    /// The epoch of an earlier response. If the database has another one, the answer is 409 `feed-rewound`.
    #[param(min_length = 1)]
    epoch: Option<String>,
}

/// The order of a list that can be read in both directions.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct OrderParameter {
    /// `desc` (newest first, the default) or `asc`.
    #[param(value_type = Option<String>, pattern = "^(asc|desc)$")]
    pub(super) order: Option<Order>,
}

impl OrderParameter {
    /// Takes the order.
    pub(super) fn read(parameters: &mut Parameters<'_>) -> Result<Self, Problem> {
        let order = parameters.value("order", "`asc` or `desc`", |text| match text {
            "asc" => Some(Order::Ascending),
            "desc" => Some(Order::Descending),
            _ => None,
        })?;
        Ok(Self { order })
    }

    /// The order, newest first by default.
    pub(super) fn or_descending(self) -> Order {
        self.order.unwrap_or(Order::Descending)
    }
}

/// A page of a list with the request for it, which writes the cursors.
pub(crate) type ReadPage<T> = (PageRequest, Page<T>);

/// The page of a list that a request asks for.
#[derive(Debug)]
pub(crate) struct PageRequest {
    /// Where the page begins.
    pub(crate) position: Position,
    /// Entries at most.
    pub(crate) limit: u32,
    cursors: Cursors,
}

impl PageRequest {
    /// Takes limit, cursor and epoch of the list `name`.
    pub(crate) fn read(
        api: &Api,
        parameters: &mut Parameters<'_>,
        name: &str,
        order: Order,
    ) -> Result<Self, Problem> {
        let limit = parameters
            .number("limit", 1..=MAX_LIMIT)?
            .and_then(|limit| u32::try_from(limit).ok());
        Self::with_limit(api, parameters, name, order, limit)
    }

    /// Takes cursor and epoch of a list whose pages have a fixed size.
    pub(super) fn read_without_limit(
        api: &Api,
        parameters: &mut Parameters<'_>,
        name: &str,
        order: Order,
    ) -> Result<Self, Problem> {
        Self::with_limit(api, parameters, name, order, None)
    }

    fn with_limit(
        api: &Api,
        parameters: &mut Parameters<'_>,
        name: &str,
        order: Order,
        limit: Option<u32>,
    ) -> Result<Self, Problem> {
        let page = PageParameters {
            limit,
            cursor: parameters.text("cursor")?,
            epoch: parameters.text("epoch")?,
        };
        api.check_epoch(page.epoch.as_deref())?;
        let filter = parameters.canonical_filter();
        let cursors = Cursors::new(name, filter, order, &api.reader.epoch());
        let position = match page.cursor {
            None => Position::Start,
            Some(cursor) => Position::After(key(api, &cursors, &cursor)?),
        };
        Ok(Self {
            position,
            limit: page.limit.unwrap_or(DEFAULT_LIMIT),
            cursors,
        })
    }

    /// The cursor of the page after the entry with the key `next`.
    pub(crate) fn cursor(&self, next: Option<i64>) -> Option<String> {
        next.map(|key| self.cursors.write(key))
    }

    /// The response with one page of the list.
    pub(super) fn response<T: Serialize>(&self, page: Page<T>, uri: &Uri) -> Response {
        let next_cursor = self.cursor(page.next);
        let next = next_cursor.clone().map(|cursor| ("cursor", cursor));
        let listed = Listed {
            data: page.entries,
            next_cursor,
        };
        linked(&listed, page.memory, uri, next)
    }
}

fn key(api: &Api, cursors: &Cursors, cursor: &str) -> Result<i64, Problem> {
    cursors.read(cursor).map_err(|unusable| match unusable {
        Unusable::Foreign => {
            Problem::bad_parameter("`cursor` is not one of this list with these filters.")
        }
        Unusable::Rewound => api.rewound(),
    })
}

/// A JSON response with a `Link` to the next page (RFC 8288): the same query with one parameter set.
pub(super) fn linked(
    value: &impl Serialize,
    memory: Reserved,
    uri: &Uri,
    next: Option<(&str, String)>,
) -> Response {
    let body = answer::json(value, memory);
    let Some((name, value)) = next else {
        return body;
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (other, kept) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if other != name {
            query.append_pair(&other, &kept);
        }
    }
    query.append_pair(name, &value);
    let link = format!("<{}?{}>; rel=\"next\"", uri.path(), query.finish());
    ([(LINK, link)], body).into_response()
}
