//! Admits requests by `Host`. A token alone would do for a program, but a browser that was led here by a name of
//! another site ("DNS rebinding") is refused even if it has one.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use hyper::StatusCode;
use hyper::header::{HOST, HeaderValue};
use hyper::http::uri::Authority;

use crate::http::{Problem, is_local_name};

/// Middleware that answers 403 unless `Host` names an address, `localhost` or one of `hosts`.
pub(super) async fn check_host(
    State(hosts): State<Arc<[String]>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let host = request.headers().get(HOST).map(HeaderValue::as_bytes);
    if host.is_some_and(|host| is_local_name(host) || is_listed(host, &hosts)) {
        return Ok(next.run(request).await);
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "host-not-allowed",
        "This is asked by address, as localhost, or under a name in private.mcp_hosts.",
    ))
}

fn is_listed(host: &[u8], hosts: &[String]) -> bool {
    let Ok(authority) = Authority::try_from(host) else {
        return false;
    };
    let is_plain = !authority.as_str().contains('@');
    let is_name = |name: &String| name.eq_ignore_ascii_case(authority.host());
    is_plain && hosts.iter().any(is_name)
}
