//! `GET /api/v1/alerts`: what is wrong, and what was until recently.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::parameters::Parameters;
use crate::http::Problem;
use crate::model::ShownAlert;

/// Firing and recently resolved alerts.
#[derive(Serialize, ToSchema)]
#[schema(as = Alerts)]
pub(super) struct Shown {
    /// At most 1,000 alerts: those that fire first, the most urgent first, then the newest.
    data: Vec<ShownAlert>,
}

/// Lists the alerts that fire, and those that were resolved in the last 7 days
#[utoipa::path(
    get,
    path = "/api/v1/alerts",
    tag = "alerts",
    responses(
        (status = OK, body = Shown),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Shown>, Problem> {
    Parameters::read(query.as_deref())?.finish()?;
    Ok(Json(Shown {
        data: api.alerts.shown(),
    }))
}
