//! `GET /api/v1/calls`: calls with their outcome.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::Uri;
use utoipa::IntoParams;

use super::cursor::List;
use super::listing::{self, Listed, OrderParameter, PageParameters};
use super::parameters::Parameters;
use super::{Api, filter};
use crate::http::Problem;
use crate::model::Call;
use crate::store::{CallFilter, CallQuery, Order};

const NAME: &str = "calls";

/// The filters of calls, as they are described to others.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "only what is made of it is read")]
pub(super) struct CallParameters {
    /// Only of this `idInstance`.
    instance: Option<i64>,
    /// Only from this caller, or to this chat for an outgoing call: in any form of the chat, and under any
    /// identifier that an event of the call has.
    #[param(min_length = 1)]
    chat: Option<String>,
    /// Only with this outcome: `offer`, `pickUp`, `hangUp`, `missed`, `declined`, `invalid`.
    #[param(min_length = 1)]
    status: Option<String>,
    /// Only what was first heard of at this moment or later.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only what was first heard of before this moment.
    #[param(format = DateTime)]
    until: Option<String>,
}

/// Calls in pages; the offer of a call and its outcome are one
///
/// Events of one account with one `idMessage` are one call, even where they name the caller differently.
/// An event without `idMessage` is a call of its own.
#[utoipa::path(
    get,
    path = "/api/v1/calls",
    tag = "calls",
    params(CallParameters, OrderParameter, PageParameters),
    responses(
        (status = OK, body = Listed<Call>, headers(("link" = String, description = "where it goes on (RFC 8288)"))),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, Problem> {
    let mut parameters = Parameters::read(uri.query())?;
    let filter = CallFilter {
        instance: parameters.number("instance", i64::MIN..=i64::MAX)?,
        chat: parameters.text("chat")?,
        status: parameters.text("status")?,
        since: filter::moment(&mut parameters, "since")?,
        until: filter::moment(&mut parameters, "until")?,
    };
    let order = listing::order(&mut parameters)?.unwrap_or(Order::Descending);
    let limit = listing::limit(&mut parameters)?;
    let list = List {
        name: NAME,
        filter: &filter,
        order,
        epoch: api.reader.epoch(),
    };
    let position = listing::position(&api, &mut parameters, list)?;
    parameters.finish()?;
    api.caught_up().await?;
    let query = CallQuery {
        filter: filter.clone(),
        order,
        position,
        limit,
    };
    let page = api.reader.calls(&query).await?;
    Ok(listing::answer(page, &uri, list))
}
