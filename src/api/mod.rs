//! The read side: `GET` only, on the private listener; one operation a file.

mod attempts;
mod auth;
mod compression;
mod cursor;
mod etag;
mod event;
mod events;
mod filter;
mod follow;
mod health;
mod openapi;
mod parameters;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get};
use hyper::StatusCode;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::error;

pub use auth::ReadGate;

use crate::http::Problem;
use crate::store::{Commits, ReadError, Reader};

/// What an answer may take: a feed waits for 60 s, and the rest is for the database.
const TIMEOUT: Duration = Duration::from_secs(90);

/// What the read side is made of. Nothing in it can write.
#[derive(Debug)]
pub struct Api {
    /// Who may read.
    pub gate: Arc<ReadGate>,
    /// What is stored.
    pub reader: Reader,
    /// What is stored next.
    pub commits: Commits,
    /// Ends waiting for news when the program stops.
    pub stop: CancellationToken,
}

/// The private listener.
pub fn router(api: Arc<Api>) -> Router {
    let gate = from_fn_with_state(Arc::clone(&api), auth::authorize);
    let open = Router::new()
        .route("/livez", read(health::live))
        .route("/readyz", read(health::ready));
    let guarded = Router::new()
        .route("/api/v1/events", read(events::list))
        .route("/api/v1/events/{seq}", read(event::show))
        .route("/api/v1/events/{seq}/body", read(event::body))
        .route("/api/v1/stream", read(stream::stream))
        .route("/openapi.json", read(openapi::show))
        .fallback(|| async { Problem::not_found() })
        .layer(gate);
    open.merge(guarded)
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            TIMEOUT,
        ))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::internal().into_response()
        }))
        .layer(compression::layer())
        .with_state(api)
}

fn read<H: Handler<T, Arc<Api>>, T: 'static>(handler: H) -> MethodRouter<Arc<Api>> {
    get(handler).fallback(|| async { Problem::method_not_allowed("GET, HEAD") })
}

impl From<ReadError> for Problem {
    fn from(failure: ReadError) -> Self {
        error!(%failure, "a request could not be answered");
        Self::internal()
    }
}
