//! `GET /api/v1/events/{seq}` and `GET /api/v1/events/{seq}/body`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS};
use hyper::{HeaderMap, StatusCode};

use super::Api;
use super::etag::EntityTag;
use super::parameters::Parameters;
use crate::http::Problem;
use crate::store::{Event, OutcomeKind};

/// The bytes of a seq never change. They are for their reader alone.
const FOR_EVER: &str = "private, max-age=31536000, immutable";

/// One event with its body. It has no tag: it changes when the event comes again, and with what a
/// newer version makes of it.
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    seq: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<Event>, Problem> {
    let seq = read_seq(seq, query.as_deref())?;
    api.reader
        .event(seq)
        .await?
        .map(Json)
        .ok_or_else(Problem::not_found)
}

/// The exact bytes that came, or that the reader has them.
pub(super) async fn body(
    State(api): State<Arc<Api>>,
    seq: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let seq = read_seq(seq, query.as_deref())?;
    let digest = api.reader.digest(seq).await?;
    let tag = EntityTag::of(&digest.ok_or_else(Problem::not_found)?);
    let is_known = tag.is_known(&asked);
    let kept = [
        (ETAG, tag.into_text()),
        (CACHE_CONTROL, FOR_EVER.to_owned()),
    ];
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    let (outcome, body) = api.reader.body(seq).await?.ok_or_else(Problem::not_found)?;
    let content_type = match outcome {
        OutcomeKind::Known | OutcomeKind::Unknown => "application/json",
        OutcomeKind::Malformed => "application/octet-stream",
    };
    // A browser must not take a body for a page of ours.
    let headers = [
        (CONTENT_TYPE, content_type),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((kept, headers, body).into_response())
}

fn read_seq(seq: Result<Path<String>, PathRejection>, query: Option<&str>) -> Result<i64, Problem> {
    Parameters::read(query)?.finish()?;
    seq.ok()
        .and_then(|Path(text)| text.parse().ok())
        .ok_or_else(|| Problem::bad_parameter("`seq` must be a whole number."))
}
