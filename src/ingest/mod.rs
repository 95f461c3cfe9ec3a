//! The write side: a `POST` from GREEN-API passes three gates, is committed to disk and then answered.
//!
//! The handler in `receive` shows the steps in order. Each gate yields a proof type that the next step takes
//! as an argument, so no gate can be skipped.

mod accept;
mod body;
mod drift_log;
mod encoding;
mod gates;
mod ignored;
mod log;
mod measure;
mod outage;
mod receive;
mod rejection;
mod source;
mod token;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::post;
use tower_http::catch_panic::CatchPanicLayer;

pub use accept::Accepted;
pub use body::{BodyError, BodyReader};
pub use gates::{GateSet, Gates};
pub use log::Refusals;
pub use rejection::Rejection;
pub use source::{AllowedSource, SourceGate, SourceRefused};
pub use token::{Admission, Authorized, TokenGate, Unauthorized};

use drift_log::DriftLog;
use outage::Outage;

use crate::clock::Clock;
use crate::config::{ConfigError, Ingest as Settings};
use crate::http::Problem;
use crate::metrics::Metrics;
use crate::store::Writer;
use crate::trouble::Troubles;

/// The state of the write side, shared by all requests.
#[derive(Debug)]
pub struct Ingest {
    gates: Arc<Gates>,
    bodies: BodyReader,
    clock: Clock,
    writer: Writer,
    metrics: Metrics,
    refusals: Arc<Refusals>,
    drift_log: DriftLog,
    outage: Outage,
}

impl Ingest {
    /// Builds the gates from the settings. What keeps notifications out is observed in `troubles`.
    ///
    /// # Errors
    ///
    /// A token is invalid, or the token file cannot be read.
    pub fn new(
        settings: &Settings,
        clock: Clock,
        writer: Writer,
        metrics: Metrics,
        troubles: Troubles,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            gates: Arc::new(Gates::new(GateSet::new(settings)?)),
            bodies: BodyReader::new(
                settings.body_limit_bytes,
                settings.body_memory_bytes,
                Duration::from_secs(settings.body_timeout_seconds.into()),
            ),
            refusals: Arc::new(Refusals::new(clock.clone())),
            drift_log: DriftLog::new(clock.clone()),
            outage: Outage::new(clock.clone(), troubles),
            clock,
            writer,
            metrics,
        })
    }

    /// The log of refused requests. The caller must call [`Refusals::tell`] regularly.
    #[must_use]
    pub fn refusals(&self) -> Arc<Refusals> {
        Arc::clone(&self.refusals)
    }

    /// The gates, to replace them while requests are served.
    #[must_use]
    pub fn gates(&self) -> Arc<Gates> {
        Arc::clone(&self.gates)
    }
}

/// Routes of the public listener: the webhook at `path`, with and without a trailing slash, and nothing else.
pub fn router(ingest: Arc<Ingest>, path: &str) -> Router {
    let path = path.trim_end_matches('/');
    let webhook =
        || post(receive::receive).fallback(|| async { Problem::method_not_allowed("POST") });
    let router = Router::new().route(&format!("{path}/"), webhook());
    let router = if path.is_empty() {
        router
    } else {
        router.route(path, webhook())
    };
    router
        .fallback(|| async { Problem::not_found() })
        .layer(CatchPanicLayer::custom(|_| {
            rejection::unavailable().into_response()
        }))
        .with_state(ingest)
}
