//! `GET /api/v1/stats`: counts.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::parameters::Parameters;
use crate::http::Problem;
use crate::model::Stats;

/// Counts, and how far they go.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stats)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    /// The epoch of the database: seqs mean something in it alone.
    epoch: String,
    /// The oldest `seq` that is stored; null where nothing is.
    #[schema(required)]
    oldest_seq: Option<i64>,
    /// The newest `seq` of all.
    newest_seq: i64,
    /// What is counted goes to this `seq` or further.
    derived_seq: i64,
    #[serde(flatten)]
    stats: Stats,
}

/// The filters of counts, as they are described to others.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "only what is made of it is read")]
pub(super) struct StatsParameters {
    /// Only of this `idInstance`.
    instance: Option<i64>,
}

/// Counts of events, messages, chats, calls and accounts
///
/// It does not wait for what is derived from the events, but says how far that is.
#[utoipa::path(
    get,
    path = "/api/v1/stats",
    tag = "stats",
    params(StatsParameters),
    responses(
        (status = OK, body = Shown),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Shown>, Problem> {
    let mut parameters = Parameters::read(query.as_deref())?;
    let instance = parameters.number("instance", i64::MIN..=i64::MAX)?;
    parameters.finish()?;
    let derived_seq = api.projected.seq();
    let stats = api.reader.stats(instance).await?;
    Ok(Json(Shown {
        epoch: api.reader.epoch().to_owned(),
        oldest_seq: api.reader.oldest_seq().await?,
        newest_seq: api.commits.newest(),
        derived_seq,
        stats,
    }))
}
