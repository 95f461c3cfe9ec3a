//! `GET /api/v1/calls`: calls with their outcome.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::Uri;
use utoipa::IntoParams;

use super::Api;
use super::listing::{Listed, OrderParameter, PageParameters, PageRequest};
use super::parameters::Parameters;
use crate::clock::UnixMillis;
use crate::http::Problem;
use crate::model::Call;
use crate::store::{CallFilter, CallQuery};

/// The filters of calls.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct CallParameters {
    /// Only of this `idInstance`.
    instance: Option<i64>,
    /// Only from this caller; for an outgoing call, only to this chat. Any form of the chat and any caller
    /// that an event of the call names is found.
    #[param(min_length = 1)]
    chat: Option<String>,
    /// Only with this outcome: `offer`, `pickUp`, `hangUp`, `missed`, `declined`, `invalid`.
    #[param(min_length = 1)]
    status: Option<String>,
    /// Only calls whose first event was received at this moment or later.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<UnixMillis>,
    /// Only calls whose first event was received before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<UnixMillis>,
}

impl CallParameters {
    fn read(parameters: &mut Parameters<'_>) -> Result<Self, Problem> {
        Ok(Self {
            instance: parameters.instance()?,
            chat: parameters.text("chat")?,
            status: parameters.text("status")?,
            since: parameters.moment("since")?,
            until: parameters.moment("until")?,
        })
    }
}

/// Lists calls; the offer of a call and its outcome are one entry
///
/// Events of one account with the same `idMessage` are one call, even if they name the caller differently.
/// An event without `idMessage` is a call of its own.
#[utoipa::path(
    get,
    path = "/api/v1/calls",
    tag = "calls",
    params(CallParameters, OrderParameter, PageParameters),
    responses(
        (status = OK, body = Listed<Call>, headers(("link" = String, description = "the next page (RFC 8288)"))),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, Problem> {
    let mut parameters = Parameters::read(uri.query())?;
    let filter = CallParameters::read(&mut parameters)?;
    let order = OrderParameter::read(&mut parameters)?.or_descending();
    let page = PageRequest::read(&api, &mut parameters, "calls", order)?;
    parameters.finish()?;
    api.caught_up().await?;
    let query = CallQuery {
        filter: CallFilter {
            instance: filter.instance,
            chat: filter.chat,
            status: filter.status,
            since: filter.since,
            until: filter.until,
        },
        order,
        position: page.position,
        limit: page.limit,
    };
    Ok(page.response(api.reader.calls(&query).await?, &uri))
}
