//! `GET /livez` and `GET /readyz`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;

use super::Api;
use super::parameters::Parameters;
use crate::http::Problem;

/// The state of the program.
#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
}

/// The process answers.
pub(super) async fn live(RawQuery(query): RawQuery) -> Result<Json<Health>, Problem> {
    Parameters::read(query.as_deref())?.finish()?;
    Ok(Json(Health { status: "live" }))
}

/// The writer runs and the database can be read. A disk that is full for now does not make it unready,
/// or nothing would be sent that could show that it is not full any more.
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
