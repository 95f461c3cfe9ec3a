//! Links from other sites. Such a request reads nothing. If a person has followed a link, the response is a page
//! that asks again by itself; then the browser also sends the session cookie (`SameSite=Strict`).

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::{HeaderMap, Method, StatusCode};

use super::html;
use super::layout::Layout;
use crate::http::cross_site;

#[derive(askama::Template)]
#[template(path = "outside.html")]
struct View<'v> {
    layout: &'v Layout,
}

/// Middleware that answers 403 if a page of another site caused the request.
pub(super) async fn refuse(request: Request, next: Next) -> Response {
    if !cross_site::is_cross_site(request.headers()) {
        return next.run(request).await;
    }
    let is_link = request.method() == Method::GET && is_navigation(request.headers());
    if is_link {
        let layout = Layout::outside(request.headers());
        return (StatusCode::FORBIDDEN, html::page(&View { layout: &layout })).into_response();
    }
    cross_site::problem().into_response()
}

/// Whether the browser opens the response as a document of its own, and not in a frame.
fn is_navigation(headers: &HeaderMap) -> bool {
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
    is("sec-fetch-mode", "navigate")
        && is("sec-fetch-dest", "document")
        && !headers.contains_key("origin")
}
