//! The JSON API of the private listener, one file for each operation. It reads; only `forward` can ask a
//! destination to send events again, `accounts` an account to compare its journals, and `reprocess` the server to parse
//! events again.

mod accounts;
mod alerts;
mod answer;
mod behind_copy;
mod calls;
pub(crate) mod chats;
mod cursor;
mod disposition;
mod epoch;
mod etag;
mod event;
mod events;
mod feed;
mod file;
mod filter;
mod forward;
mod health;
mod instances;
mod listing;
mod message;
pub(crate) mod messages;
mod metrics;
mod oldest;
mod openapi;
mod parameters;
mod range;
mod reprocess;
mod stats;
mod stream;
mod watch;

pub use behind_copy::behind_copy;
pub(crate) use filter::FilterParameters;
pub(crate) use listing::PageRequest;
pub(crate) use parameters::Parameters;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get, post};
use hyper::StatusCode;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::error;

use crate::clock::Clock;
use crate::http::{Problem, ReadGate, compression, cross_site};
use crate::media::Folder;
use crate::metrics::Metrics;
use crate::model::{Accounts, Alerts, Forwards};
use crate::store::{
    Commits, DeadLetters, DeletedThrough, Duties, EventQuery, Feed, NodeStatus, Projected,
    ReadError, Reader, ReprocessRequests,
};

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
    /// The current time.
    pub clock: Clock,
    /// Reads the database.
    pub reader: Reader,
    /// Announces each commit.
    pub commits: Commits,
    /// Progress and state of the projection.
    pub projected: Projected,
    /// How far the oldest events are deleted.
    pub deleted: DeletedThrough,
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// The current alerts.
    pub alerts: Alerts,
    /// The accounts as GREEN-API showed them last.
    pub accounts: Accounts,
    /// The forward destinations.
    pub forwards: Forwards,
    /// Their dead letters.
    pub dead_letters: DeadLetters,
    /// What this one of several nodes does at the moment.
    pub duties: Duties,
    /// Where parsing all events again is asked for.
    pub reprocess: ReprocessRequests,
    /// The kept files.
    pub files: Folder,
    /// Set if the database is this node's copy of a PostgreSQL.
    pub node: Option<NodeStatus>,
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

    /// The oldest stored seq; `None` if nothing is stored.
    fn oldest_seq(&self) -> Option<i64> {
        let deleted = self.deleted.seq();
        (self.commits.newest() > deleted).then_some(deleted + 1)
    }

    /// Waits until the projection has every event that is committed now.
    pub(crate) async fn caught_up(&self) -> Result<(), Problem> {
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
    let oldest = from_fn_with_state(Arc::clone(&api), oldest::add_header);
    let guarded = Router::new()
        .route("/api/v1/events", read(events::list))
        .route("/api/v1/events/{seq}", read(event::show))
        .route("/api/v1/events/{seq}/body", read(event::body))
        .route("/api/v1/events/{seq}/file", read(file::of_event))
        .route("/api/v1/stream", read(stream::stream))
        .route("/api/v1/messages", read(messages::list))
        .route(
            "/api/v1/messages/{idInstance}/{chatId}/{idMessage}",
            read(message::show),
        )
        .route(
            "/api/v1/messages/{idInstance}/{chatId}/{idMessage}/file",
            read(file::of_message),
        )
        .route("/api/v1/chats", read(chats::list))
        .route("/api/v1/instances", read(instances::list))
        .route("/api/v1/calls", read(calls::list))
        .route("/api/v1/stats", read(stats::show))
        .route("/api/v1/accounts", read(accounts::list))
        .route(
            "/api/v1/accounts/{idInstance}/reconcile",
            act(accounts::reconcile),
        )
        .route("/api/v1/alerts", read(alerts::list))
        .route("/api/v1/forward", read(forward::list))
        .route("/api/v1/forward/{name}/dead", read(forward::dead))
        .route("/api/v1/forward/{name}/replay", act(forward::replay))
        .route("/api/v1/forward/{name}/enable", act(forward::enable))
        .route(
            "/api/v1/reprocess",
            get(reprocess::show)
                .post(reprocess::begin)
                .fallback(|| async { Problem::method_not_allowed("GET, HEAD, POST") }),
        )
        .route("/metrics", read(metrics::show))
        .route("/openapi.json", read(openapi::show))
        .fallback(|| async { Problem::not_found() })
        .layer(from_fn_with_state(Arc::clone(&api), metrics::count))
        .layer(oldest)
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

/// An operation that changes something, though never an event.
fn act<H: Handler<T, Arc<Api>>, T: 'static>(handler: H) -> MethodRouter<Arc<Api>> {
    post(handler).fallback(|| async { Problem::method_not_allowed("POST") })
}

impl From<ReadError> for Problem {
    fn from(failure: ReadError) -> Self {
        match failure {
            ReadError::Busy => Self::busy(),
            ReadError::TooLong => Self::query_timeout(),
            ReadError::Rebuilding => Self::catching_up(REBUILDING.to_owned()),
            ReadError::Away(_) => Self::unavailable("PostgreSQL cannot be reached; retry later."),
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
