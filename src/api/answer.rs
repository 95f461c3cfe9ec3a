//! An answer as JSON whose bytes keep their share of the memory until they are sent.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hyper::header::CONTENT_TYPE;
use serde::Serialize;

use crate::http::Problem;
use crate::store::Reserved;

/// Writes `value` as JSON. What was reserved to make it and is not needed any more is given back.
pub(super) fn json(value: &impl Serialize, memory: Reserved) -> Response {
    match serde_json::to_vec(value) {
        Ok(json) => ([(CONTENT_TYPE, "application/json")], held(json, memory)).into_response(),
        // What it is made of is always JSON, so it cannot fail.
        Err(_) => Problem::internal().into_response(),
    }
}

/// Bytes that keep their share of the memory until they are sent.
pub(super) fn held(mut bytes: Vec<u8>, mut memory: Reserved) -> Body {
    bytes.shrink_to_fit();
    memory.shrink_to(bytes.len());
    Body::from(memory.hold(bytes))
}
