//! `GET /api/v1/stats`: counts of the stored data.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::parameters::Parameters;
use crate::http::Problem;
use crate::model::Stats;

/// Counts of the stored data, and the seqs they cover.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stats)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    /// The epoch of the database. A `seq` is meaningful only within one epoch.
    epoch: String,
    /// The oldest stored `seq`; null if nothing is stored.
    #[schema(required)]
    oldest_seq: Option<i64>,
    /// The newest `seq`.
    newest_seq: i64,
    /// The counts include every event up to this `seq`, and maybe later ones.
    derived_seq: i64,
    #[serde(flatten)]
    stats: Stats,
}

/// The filters of the counts, for the OpenAPI description.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "only the derived description is used")]
pub(super) struct StatsParameters {
    /// Only of this `idInstance`.
    instance: Option<i64>,
}

/// Counts events, messages, chats, calls and accounts
///
/// The counts do not wait for the projection; `derivedSeq` tells how far it is.
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
        epoch: api.reader.epoch().to_string(),
        oldest_seq: api.reader.oldest_seq().await?,
        newest_seq: api.commits.newest(),
        derived_seq,
        stats,
    }))
}
