//! Admits readers of the page by token or session, and leads the others to the sign-in.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use hyper::StatusCode;
use hyper::header::AUTHORIZATION;

use super::Page;
use super::failure::Failure;
use crate::http::Peer;

/// Middleware that answers 303, 401, 403 or 429 in place of the view if the client may not read.
pub(super) async fn admit(
    State(page): State<Arc<Page>>,
    Extension(peer): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let Err(problem) = page.gate.admit(peer, request.headers()) else {
        return next.run(request).await;
    };
    let presents_token = request.headers().contains_key(AUTHORIZATION);
    if problem.status() == StatusCode::UNAUTHORIZED && !presents_token {
        let wanted = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("next", wanted)
            .finish();
        return Redirect::to(&format!("/sign-in?{query}")).into_response();
    }
    Failure::Refused(problem).into_response()
}
