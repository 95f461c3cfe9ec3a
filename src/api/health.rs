//! `GET /livez` and `GET /readyz`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::parameters::Parameters;
use crate::http::Problem;

/// The state of the program.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `live` or `ready`.
    status: &'static str,
}

/// Whether the process answers
#[utoipa::path(
    get,
    path = "/livez",
    tag = "health",
    security(()),
    responses(
        (status = OK, body = Health),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn live(RawQuery(query): RawQuery) -> Result<Json<Health>, Problem> {
    Parameters::read(query.as_deref())?.finish()?;
    Ok(Json(Health { status: "live" }))
}

/// Whether notifications can be taken and read
///
/// The writer runs and the database can be read. A disk that is full for now does not make it unready,
/// or nothing would be sent that could show that it is not full any more.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    security(()),
    responses(
        (status = OK, body = Health),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, description = "not ready", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn ready(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Health>, Problem> {
    Parameters::read(query.as_deref())?.finish()?;
    if api.stop.is_cancelled() || api.commits.is_stopped() || api.reader.ping().await.is_err() {
        return Err(Problem::unavailable("It cannot store or read now."));
    }
    Ok(Json(Health { status: "ready" }))
}
