//! `GET /api/v1/instances`: the state and the newest notification of each account.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::Uri;
use utoipa::IntoParams;

use super::Api;
use super::listing::{Listed, PageParameters, PageRequest};
use super::parameters::Parameters;
use crate::http::Problem;
use crate::model::Instance;
use crate::store::{InstanceQuery, Order};

/// The filters of accounts.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct InstanceParameters {
    /// Only this `idInstance`.
    instance: Option<i64>,
    /// Only of this `typeInstance`.
    #[param(min_length = 1)]
    type_instance: Option<String>,
}

/// Lists accounts, sorted by `idInstance`
#[utoipa::path(
    get,
    path = "/api/v1/instances",
    tag = "instances",
    params(InstanceParameters, PageParameters),
    responses(
        (status = OK, body = Listed<Instance>, headers(("link" = String, description = "the next page (RFC 8288)"))),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, Problem> {
    let mut parameters = Parameters::read(uri.query())?;
    let filter = InstanceParameters {
        instance: parameters.instance()?,
        type_instance: parameters.text("typeInstance")?,
    };
    let page = PageRequest::read(&api, &mut parameters, "instances", Order::Ascending)?;
    parameters.finish()?;
    api.caught_up().await?;
    let query = InstanceQuery {
        instance: filter.instance,
        type_instance: filter.type_instance,
        position: page.position,
        limit: page.limit,
    };
    Ok(page.response(api.reader.instances(&query).await?, &uri))
}
