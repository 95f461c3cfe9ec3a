//! HTML responses.

use askama::Template;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hyper::header::CONTENT_TYPE;
use tracing::error;

use crate::http::Problem;
use crate::store::Reserved;

/// `Content-Type` of every view.
const HTML: &str = "text/html; charset=utf-8";

/// The view as a response.
pub(super) fn page(view: &impl Template) -> Response {
    respond(view, Body::from)
}

/// The view as a response that keeps its memory reservation until its bytes are sent.
pub(super) fn held(view: &impl Template, mut memory: Reserved) -> Response {
    respond(view, |html| {
        memory.shrink_to(html.len());
        Body::from(memory.hold(html))
    })
}

fn respond(view: &impl Template, body: impl FnOnce(Vec<u8>) -> Body) -> Response {
    match view.render() {
        Ok(html) => ([(CONTENT_TYPE, HTML)], body(html.into_bytes())).into_response(),
        Err(failure) => {
            error!(%failure, "a view cannot be written: {failure}");
            Problem::internal().into_response()
        }
    }
}
