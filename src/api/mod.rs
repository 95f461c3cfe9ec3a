//! The JSON API of the private listener. It only reads, and has one file for each operation.

mod answer;
mod calls;
mod chats;
mod compression;
mod cross_site;
mod cursor;
mod epoch;
mod etag;
mod event;
mod events;
mod feed;
mod filter;
mod health;
mod instances;
mod listing;
mod message;
mod messages;
mod openapi;
mod parameters;
mod stats;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get};
use hyper::StatusCode;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::error;

use crate::http::{Problem, ReadGate};
use crate::store::{Commits, EventQuery, Feed, Projected, ReadError, Reader};

/// Time for one response; beyond it, the response is a 503. A feed waits up to 60 s, the rest is for the
/// database.
const TIMEOUT: Duration = Duration::from_secs(90);

/// How long a list waits for the projection. Beyond that, the response is 503 `catching-up`.
const CATCHING_UP: Duration = Duration::from_secs(5);

/// Error detail of lists while the projection is rebuilt.
const REBUILDING: &str = "The projection was lost or damaged and is being rebuilt; events are not \
                          affected. Retry later.";

/// State shared by all handlers. Nothing in it can write to the database.
#[derive(Debug)]
pub struct Api {
    /// Authenticates clients.
    pub gate: Arc<ReadGate>,
    /// Reads the database.
    pub reader: Reader,
    /// Announces each commit.
    pub commits: Commits,
    /// Progress and state of the projection.
    pub projected: Projected,
    /// Ends waiting feeds and streams when the program stops.
    pub stop: CancellationToken,
}

impl Api {
    /// A feed of the events that match `query`, after the seq `after`.
    fn feed(&self, query: EventQuery, after: i64) -> Feed {
        Feed::new(
            self.reader.clone(),
            self.commits.clone(),
            self.projected.clone(),
            self.stop.clone(),
            query,
            after,
        )
    }

    /// Waits until the projection has every event that is committed now.
    async fn caught_up(&self) -> Result<(), Problem> {
        let newest = self.commits.newest();
        let mut projected = self.projected.clone();
        if projected.is_stopped() && projected.seq() < newest {
            return Err(Problem::projection_stopped());
        }
        timeout(CATCHING_UP, projected.reach(newest))
            .await
            .map_err(|_| {
                if projected.is_rebuilding() {
                    return Problem::catching_up(REBUILDING.to_owned());
                }
                let seq = projected.seq();
                Problem::catching_up(format!(
                    "The projection lags behind, at seq {seq} of {newest}; retry later."
                ))
            })
    }
}

/// Routes of the health checks only, which are served beyond the connection limit too. They need no token.
pub fn health_router(api: Arc<Api>) -> Router {
    let epoch = from_fn_with_state(Arc::clone(&api), epoch::add_header);
    health_routes()
        .layer(from_fn(cross_site::refuse))
        .layer(epoch)
        .with_state(api)
}

fn health_routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/livez", read(health::live))
        .route("/readyz", read(health::ready))
}

/// All routes of the private listener.
pub fn router(api: Arc<Api>) -> Router {
    let gate = from_fn_with_state(Arc::clone(&api.gate), ReadGate::authorize);
    let epoch = from_fn_with_state(Arc::clone(&api), epoch::add_header);
    let guarded = Router::new()
        .route("/api/v1/events", read(events::list))
        .route("/api/v1/events/{seq}", read(event::show))
        .route("/api/v1/events/{seq}/body", read(event::body))
        .route("/api/v1/stream", read(stream::stream))
        .route("/api/v1/messages", read(messages::list))
        .route(
            "/api/v1/messages/{idInstance}/{chatId}/{idMessage}",
            read(message::show),
        )
        .route("/api/v1/chats", read(chats::list))
        .route("/api/v1/instances", read(instances::list))
        .route("/api/v1/calls", read(calls::list))
        .route("/api/v1/stats", read(stats::show))
        .route("/openapi.json", read(openapi::show))
        .fallback(|| async { Problem::not_found() })
        .layer(gate);
    health_routes()
        .merge(guarded)
        .layer(from_fn(cross_site::refuse))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            TIMEOUT,
        ))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::internal().into_response()
        }))
        .layer(compression::layer())
        .layer(epoch)
        .with_state(api)
}

fn read<H: Handler<T, Arc<Api>>, T: 'static>(handler: H) -> MethodRouter<Arc<Api>> {
    get(handler).fallback(|| async { Problem::method_not_allowed("GET, HEAD") })
}

impl From<ReadError> for Problem {
    fn from(failure: ReadError) -> Self {
        match failure {
            ReadError::Busy => Self::busy(),
            ReadError::TooLong => Self::query_timeout(),
            ReadError::Rebuilding => Self::catching_up(REBUILDING.to_owned()),
            ReadError::Damaged(_) | ReadError::DamagedBody => {
                error!(%failure, "a request failed: {failure}");
                Self::damaged()
            }
            ReadError::Database(_) => {
                error!(%failure, "a request failed");
                Self::internal()
            }
        }
    }
}
