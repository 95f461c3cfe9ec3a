//! `GET /livez` and `GET /readyz`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use hyper::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::parameters::Parameters;
use crate::http::Problem;

/// Health of the server.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `live` or `ready`.
    status: &'static str,
    /// `rebuilding` while the projection is rebuilt and lists wait for it; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    projection: Option<&'static str>,
}

/// Reports that the process responds
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
    Ok(Json(Health {
        status: "live",
        projection: None,
    }))
}

/// Reports whether notifications can be stored and read
///
/// Ready means that the writer runs and the database can be read. A full disk does not make the server
/// unready: without new notifications it could not notice that there is space again. Damaged events do make
/// it unready, because an operator has to act, although notifications are still accepted.
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
    let is_unreadable = api.reader.ping().await.is_err();
    if api.stop.is_cancelled() || api.commits.is_stopped() || is_unreadable {
        return Err(Problem::unavailable(
            "The server cannot store or read notifications now.",
        ));
    }
    if api.node.as_ref().is_some_and(|node| !node.is_connected()) {
        return Err(Problem::unavailable(
            "PostgreSQL cannot be reached, so notifications are refused; readers see the copy of this node.",
        ));
    }
    if api.projected.are_events_damaged() {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "damaged",
            "Stored events are damaged on disk; notifications are still accepted. The log says what \
             to do.",
        ));
    }
    if api.projected.is_stopped() {
        return Err(Problem::projection_stopped());
    }
    Ok(Json(Health {
        status: "ready",
        projection: api.projected.is_rebuilding().then_some("rebuilding"),
    }))
}
