//! `GET /livez` and `GET /readyz`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::Api;
use crate::http::Problem;

/// The state of the program.
#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
}

/// The process answers.
pub(super) async fn live() -> Json<Health> {
    Json(Health { status: "live" })
}

/// Notifications can be stored and read.
pub(super) async fn ready(State(api): State<Arc<Api>>) -> Result<Json<Health>, Problem> {
    if api.stop.is_cancelled() || api.commits.is_stopped() || api.reader.ping().await.is_err() {
        return Err(Problem::unavailable("It cannot store or read now."));
    }
    Ok(Json(Health { status: "ready" }))
}
