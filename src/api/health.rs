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

/// The state of the program.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `live` or `ready`.
    status: &'static str,
    /// `rebuilding` while what is derived from the events is made anew and lists wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    projection: Option<&'static str>,
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
    Ok(Json(Health {
        status: "live",
        projection: None,
    }))
}

/// Whether notifications can be taken and read
///
/// The writer runs and the database can be read. A disk that is full for now does not make it unready,
/// or nothing would be sent that could show that it is not full any more. Events that turned out to
/// be damaged do: an operator has to act, though notifications are still taken.
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
        return Err(Problem::unavailable("It cannot store or read now."));
    }
    if api.projected.are_events_damaged() {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "damaged",
            "Stored events are damaged on the disk, and notifications are still taken; the log says \
             what to do.",
        ));
    }
    Ok(Json(Health {
        status: "ready",
        projection: api.projected.is_rebuilding().then_some("rebuilding"),
    }))
}
