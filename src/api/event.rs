//! `GET /api/v1/events/{seq}` and `GET /api/v1/events/{seq}/body`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS};
use hyper::{HeaderMap, StatusCode};

use super::etag::EntityTag;
use super::parameters::Parameters;
use super::{Api, answer};
use crate::http::Problem;
use crate::model::{Event, OutcomeKind};
use crate::store::Single;

/// The bytes of a seq never change in one database; another one may be put in its place, so that a
/// reader that keeps them has to ask.
const ASK_AGAIN: &str = "private, no-cache";

/// One event with its body
///
/// It has no tag: it changes when the event comes again, and with what a newer version makes of it.
#[utoipa::path(
    get,
    path = "/api/v1/events/{seq}",
    tag = "events",
    params(("seq" = i64, Path, description = "its place in the order of commits")),
    responses(
        (status = OK, body = Event),
        (status = "4XX", description = "refused, or there is none", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    seq: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let seq = read_seq(seq, query.as_deref())?;
    let event = api.reader.event(seq).await?;
    let Single { entry, memory } = event.ok_or_else(Problem::not_found)?;
    Ok(answer::json(&entry, memory))
}

/// The exact bytes that came
#[utoipa::path(
    get,
    path = "/api/v1/events/{seq}/body",
    tag = "events",
    params(("seq" = i64, Path, description = "its place in the order of commits")),
    responses(
        (status = OK, description = "the bytes", content(
            (serde_json::Value = "application/json"),
            (Vec<u8> = "application/octet-stream"),
        ), headers(("etag" = String, description = "for `If-None-Match`"))),
        (status = NOT_MODIFIED, description = "`If-None-Match` has its tag"),
        (status = "4XX", description = "refused, or there is none", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
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
        (CACHE_CONTROL, ASK_AGAIN.to_owned()),
    ];
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    let stored = api.reader.body(seq).await?;
    let Single { entry, memory } = stored.ok_or_else(Problem::not_found)?;
    let (outcome, body) = entry;
    let content_type = match outcome {
        OutcomeKind::Known | OutcomeKind::Unknown => "application/json",
        OutcomeKind::Malformed => "application/octet-stream",
    };
    // A browser must not take a body for a page of ours.
    let headers = [
        (CONTENT_TYPE, content_type),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((kept, headers, answer::held(body, memory)).into_response())
}

fn read_seq(seq: Result<Path<String>, PathRejection>, query: Option<&str>) -> Result<i64, Problem> {
    Parameters::read(query)?.finish()?;
    seq.ok()
        .and_then(|Path(text)| text.parse().ok())
        .ok_or_else(|| Problem::bad_parameter("`seq` must be a whole number."))
}
