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

/// `Cache-Control` of a body. The body of a seq never changes within one database, but the database may be
/// replaced by another, so caches must revalidate.
const REVALIDATE: &str = "private, no-cache";

/// Returns one event with its body
///
/// The response has no `ETag`: it changes with every duplicate, and a newer version may parse the body
/// differently.
#[utoipa::path(
    get,
    path = "/api/v1/events/{seq}",
    tag = "events",
    params(("seq" = i64, Path, description = "sequence number of the event")),
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

/// Returns the body of an event, byte for byte as received
#[utoipa::path(
    get,
    path = "/api/v1/events/{seq}/body",
    tag = "events",
    params(("seq" = i64, Path, description = "sequence number of the event")),
    responses(
        (status = OK, description = "the body", content(
            (serde_json::Value = "application/json"),
            (Vec<u8> = "application/octet-stream"),
        ), headers(("etag" = String, description = "strong tag for `If-None-Match`"))),
        (status = NOT_MODIFIED, description = "`If-None-Match` has the tag of the body"),
        (status = "4XX", description = "refused, or there is none", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn body(
    State(api): State<Arc<Api>>,
    seq: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request_headers: HeaderMap,
) -> Result<Response, Problem> {
    let seq = read_seq(seq, query.as_deref())?;
    let digest = api.reader.digest(seq).await?;
    let tag = EntityTag::of(&digest.ok_or_else(Problem::not_found)?);
    let is_not_modified = tag.is_in_if_none_match(&request_headers);
    let caching = [
        (ETAG, tag.into_text()),
        (CACHE_CONTROL, REVALIDATE.to_owned()),
    ];
    if is_not_modified {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    let stored = api.reader.body(seq).await?;
    let Single { entry, memory } = stored.ok_or_else(Problem::not_found)?;
    let (outcome, body) = entry;
    let content_type = match outcome {
        OutcomeKind::Known | OutcomeKind::Unknown => "application/json",
        OutcomeKind::Malformed => "application/octet-stream",
    };
    // A browser must not interpret a body as an HTML page of this server.
    let headers = [
        (CONTENT_TYPE, content_type),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((caching, headers, answer::held(body, memory)).into_response())
}

/// The seq in the path of a request that has no query.
pub(super) fn read_seq(
    seq: Result<Path<String>, PathRejection>,
    query: Option<&str>,
) -> Result<i64, Problem> {
    Parameters::read(query)?.finish()?;
    seq.ok()
        .and_then(|Path(text)| text.parse().ok())
        .ok_or_else(|| Problem::bad_parameter("`seq` must be a whole number."))
}
