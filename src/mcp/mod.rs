//! `/mcp` on the private listener: tools of the Model Context Protocol (streamable HTTP), with which an assistant
//! reads chats, messages and alerts. No tool writes. Each tool is a query of the API with a smaller answer.
//!
//! A request is complete in itself: there are no sessions and no streams, so a client holds nothing between requests.

mod answer;
mod arguments;
mod gate;
mod held;
mod server;
mod tool;
mod undelivered;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::post;
use hyper::StatusCode;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::error;

use crate::api::Api;
use crate::config::Private as Settings;
use crate::http::{Problem, ReadGate, compression, cross_site};
use server::Server;

/// Time for one request and its answer; beyond it, the response is a 503.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of a request; a larger one is a 413.
const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// The route, if the settings switch it on.
pub fn router(api: &Arc<Api>, settings: &Settings) -> Router {
    if !settings.mcp {
        return Router::new();
    }
    let hosts: Arc<[String]> = settings.mcp_hosts.clone().into();
    let server = Server::new(Arc::clone(api), MAX_REQUEST_BYTES);
    let only_post = || async { Problem::method_not_allowed("POST") };
    Router::new()
        .route("/mcp", post(server::answer).fallback(only_post))
        .layer(from_fn_with_state(
            Arc::clone(&api.gate),
            ReadGate::authorize,
        ))
        .layer(from_fn_with_state(hosts, gate::check_host))
        .layer(from_fn(cross_site::refuse))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            TIMEOUT,
        ))
        .layer(CatchPanicLayer::custom(|_| {
            error!("a request at /mcp failed");
            Problem::internal().into_response()
        }))
        .layer(compression::layer())
        .with_state(server)
}
