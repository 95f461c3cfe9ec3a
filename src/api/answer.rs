//! Response bodies that keep their memory reservation until they are sent.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hyper::header::CONTENT_TYPE;
use serde::Serialize;

use crate::http::Problem;
use crate::store::Reserved;

/// Responds with `value` as JSON. Frees the part of the reservation that the JSON does not need.
pub(super) fn json(value: &impl Serialize, memory: Reserved) -> Response {
    match serde_json::to_vec(value) {
        Ok(json) => ([(CONTENT_TYPE, "application/json")], held(json, memory)).into_response(),
        // Cannot happen: the API's types always serialize to JSON.
        Err(_) => Problem::internal().into_response(),
    }
}

/// A body that keeps its memory reservation until its bytes are sent.
pub(super) fn held(mut bytes: Vec<u8>, mut memory: Reserved) -> Body {
    bytes.shrink_to_fit();
    memory.shrink_to(bytes.len());
    Body::from(memory.hold(bytes))
}
