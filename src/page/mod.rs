//! The page of the private listener: HTML for people, one file for each view. It only reads. What is live comes
//! from the API, which the browser asks with the same session; buttons post to the API in the same way.

mod alert;
mod assets;
mod chat;
mod event;
mod failure;
mod forward;
mod guard;
mod health;
mod html;
mod instances;
mod language;
mod layout;
mod live;
mod outside;
mod security;
mod sign_in;
mod sparkline;
mod words;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get, post};
use hyper::StatusCode;
use tokio::time::timeout;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::clock::Clock;
use crate::http::{Problem, ReadGate, compression};
use crate::model::{Accounts, Alerts, Forwards, LastRefused};
use crate::store::{Commits, Projected, Reader};

/// Time for one response; beyond it, the response is a 503.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long a view waits for the projection. Beyond that, it shows what is derived so far.
const CATCHING_UP: Duration = Duration::from_secs(2);

/// Bytes of a submitted form; a larger one is a 413.
const MAX_FORM_BYTES: usize = 8 * 1024;

/// State shared by all views. Nothing in it can write to the database.
#[derive(Debug)]
pub struct Page {
    /// Authenticates readers.
    pub gate: Arc<ReadGate>,
    /// Reads the database.
    pub reader: Reader,
    /// Announces each commit.
    pub commits: Commits,
    /// Progress of the projection.
    pub projected: Projected,
    /// The current alerts.
    pub alerts: Alerts,
    /// The forward destinations.
    pub forwards: Forwards,
    /// The accounts as GREEN-API showed them last.
    pub accounts: Accounts,
    /// The clients that the webhook refused last.
    pub refused: LastRefused,
    /// The current time.
    pub clock: Clock,
    /// URL of the webhook, for the command that replays an event.
    pub webhook: String,
}

impl Page {
    /// Waits for a short time until the projection has every event up to `seq`.
    async fn projected(&self, seq: i64) {
        let mut projected = self.projected.clone();
        // A view that is a little behind is better than none.
        let _ = timeout(CATCHING_UP, projected.reach(seq)).await;
    }
}

/// The routes of the page.
pub fn router(page: Arc<Page>) -> Router {
    let guarded = Router::new()
        .route("/", read(live::show))
        .route("/events/{seq}", read(event::show))
        .route("/chats/{idInstance}/{chatId}", read(chat::show))
        .route("/instances", read(instances::show))
        .route("/forward", read(forward::show))
        .route("/health", read(health::show))
        .layer(from_fn_with_state(Arc::clone(&page), guard::admit));
    let sign_in = get(sign_in::show)
        .post(sign_in::submit)
        .fallback(|| async { Problem::method_not_allowed("GET, HEAD, POST") });
    let sign_out = post(sign_in::leave).fallback(|| async { Problem::method_not_allowed("POST") });
    Router::new()
        .merge(guarded)
        .route("/sign-in", sign_in)
        .route("/sign-out", sign_out)
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .layer(from_fn_with_state(Arc::clone(&page), failure::render))
        .layer(from_fn(outside::refuse))
        .route("/assets/{version}/{name}", read(assets::show))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            TIMEOUT,
        ))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::internal().into_response()
        }))
        .layer(from_fn(security::add_headers))
        .layer(compression::layer())
        .with_state(page)
}

fn read<H: Handler<T, Arc<Page>>, T: 'static>(handler: H) -> MethodRouter<Arc<Page>> {
    get(handler).fallback(|| async { Problem::method_not_allowed("GET, HEAD") })
}
