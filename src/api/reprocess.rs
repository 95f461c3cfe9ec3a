//! `/api/v1/reprocess`: parses all stored events again while the server runs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use hyper::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::parameters::Parameters;
use crate::http::Problem;
use crate::model::ReprocessPass;

/// How far the last pass is.
#[derive(Serialize, ToSchema)]
#[schema(as = Reprocess)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    /// The version of the server, which is the one that parses.
    version: &'static str,
    /// The pass.
    #[serde(flatten)]
    pass: ReprocessPass,
    /// Whether messages, chats and calls are still to be derived from these events. Lists wait meanwhile.
    is_deriving: bool,
    /// Messages, chats and calls are derived up to this seq.
    derived_seq: i64,
}

/// Shows how far the server is with parsing all events again
#[utoipa::path(
    get,
    path = "/api/v1/reprocess",
    tag = "reprocess",
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
    Parameters::read(query.as_deref())?.finish()?;
    shown(&api).await.map(Json)
}

/// Begins to parse all stored events again
///
/// The request is on disk when this is answered, and a restart carries it out too. If a pass is running, it goes on. At
/// its end the database has a new epoch if an event has changed, and messages, chats and calls are derived again.
#[utoipa::path(
    post,
    path = "/api/v1/reprocess",
    tag = "reprocess",
    responses(
        (status = OK, body = Shown),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn begin(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Shown>, Problem> {
    Parameters::read(query.as_deref())?.finish()?;
    if api.node.is_some() {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "copy",
            "The database is this node's copy of PostgreSQL. Stop the node and remove the files at storage.path: it \
             then copies and parses every event again.",
        ));
    }
    api.reprocess.begin().await.map_err(|_| {
        Problem::unavailable(
            "The request could not be stored: the program is stopping, or the disk is full.",
        )
    })?;
    shown(&api).await.map(Json)
}

async fn shown(api: &Api) -> Result<Shown, Problem> {
    // In this order: once the pass has ended, the projection knows that it is outdated.
    let pass = api.reader.reprocess_pass().await?;
    Ok(Shown {
        version: env!("CARGO_PKG_VERSION"),
        is_deriving: !api.projected.has_reached(pass.last_seq),
        pass,
        derived_seq: api.projected.seq(),
    })
}
