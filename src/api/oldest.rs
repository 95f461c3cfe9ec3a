//! The oldest stored seq. A reader that continues from before it goes on at the oldest event; this header tells it
//! that the events in between are deleted.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use hyper::header::HeaderValue;

use super::Api;

/// Response header with the oldest stored seq.
const HEADER: &str = "green-inbox-oldest-seq";

/// Middleware that adds the header to every response of the API, if an event is stored.
pub(super) async fn add_header(
    State(api): State<Arc<Api>>,
    request: Request,
    next: Next,
) -> Response {
    // Before the events are read, so that none of them is older.
    let oldest = api.oldest_seq();
    let mut response = next.run(request).await;
    if let Some(oldest) = oldest {
        let headers = response.headers_mut();
        headers.insert(HEADER, HeaderValue::from(oldest));
    }
    response
}
