//! `GET /api/v1/instances`: the state and the last sign of life of each account.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::Uri;
use utoipa::IntoParams;

use super::Api;
use super::cursor::List;
use super::listing::{self, Listed, PageParameters};
use super::parameters::Parameters;
use crate::http::Problem;
use crate::model::Instance;
use crate::store::{InstanceQuery, Order};

const NAME: &str = "instances";

/// The filters of accounts, as they are described to others.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "only what is made of it is read")]
pub(super) struct InstanceParameters {
    /// Only this `idInstance`.
    instance: Option<i64>,
    /// Only of this `typeInstance`.
    #[param(min_length = 1)]
    type_instance: Option<String>,
}

/// Accounts in pages, in the order of their numbers
#[utoipa::path(
    get,
    path = "/api/v1/instances",
    tag = "instances",
    params(InstanceParameters, PageParameters),
    responses(
        (status = OK, body = Listed<Instance>, headers(("link" = String, description = "where it goes on (RFC 8288)"))),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, Problem> {
    let mut parameters = Parameters::read(uri.query())?;
    let instance = parameters.number("instance", i64::MIN..=i64::MAX)?;
    let type_instance = parameters.text("typeInstance")?;
    let limit = listing::limit(&mut parameters)?;
    let filter = (instance, &type_instance);
    let list = List {
        name: NAME,
        filter: &filter,
        order: Order::Ascending,
        epoch: api.reader.epoch(),
    };
    let position = listing::position(&api, &mut parameters, list)?;
    parameters.finish()?;
    api.caught_up().await?;
    let query = InstanceQuery {
        instance,
        type_instance: type_instance.clone(),
        position,
        limit,
    };
    let page = api.reader.instances(&query).await?;
    Ok(listing::answer(page, &uri, list))
}
