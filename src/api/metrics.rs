//! `GET /metrics`: the metrics in Prometheus' text format.

use std::sync::Arc;

use axum::extract::{RawQuery, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::header::CONTENT_TYPE;
use tokio::task::spawn_blocking;
use tracing::error;

use super::Api;
use super::parameters::Parameters;
use crate::http::Problem;
use crate::metrics::{self, Sampled, SampledAccount, SampledForward, SampledNode};

/// Shows the metrics
///
/// The text format of Prometheus, version 0.0.4. Metrics have the prefix `green_inbox_`. A scrape reads no
/// table, so its cost does not depend on the size of the database.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "health",
    responses(
        (status = OK, body = String, content_type = "text/plain"),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    Parameters::read(query.as_deref())?.finish()?;
    let firing = api.alerts.firing().into_iter();
    let firing = firing.map(|(name, count)| (name.name(), count));
    let accounts = api
        .accounts
        .all()
        .into_iter()
        .map(|account| SampledAccount {
            id_instance: account.id_instance,
            state: account.state,
            queue: account.queue_notifications,
        });
    let forwards = api.forwards.current().into_iter();
    let forwards = forwards.map(|one| SampledForward {
        name: one.name,
        backlog: one.backlog_seconds,
        dead: one.dead,
        expired: one.expired,
    });
    let lag = api.commits.newest() - api.projected.seq();
    let reader = api.reader.clone();
    // A file system may take long to answer.
    let disk = spawn_blocking(move || reader.disk_usage()).await;
    let disk = disk.map_err(|_| Problem::internal())?;
    let sampled = Sampled {
        files: disk.files,
        disk_free: disk.free,
        projection_lag: lag.max(0),
        alerts: firing.collect(),
        accounts: accounts.collect(),
        forwards: forwards.collect(),
        node: api.node.as_ref().map(|node| {
            let standbys = node.standbys();
            SampledNode {
                is_connected: node.is_connected(),
                lag: node.lag(),
                leases: api.duties.held(),
                age: node.age(),
                epoch: api.reader.epoch().to_string(),
                standbys: standbys.map(|standbys| standbys.count),
                standby_lag: standbys.and_then(|standbys| standbys.lag),
            }
        }),
    };
    let text = api.metrics.scrape(&sampled).map_err(|failure| {
        error!(%failure, "the metrics cannot be written: {failure}");
        Problem::internal()
    })?;
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}

/// Counts a request for as long as its answer is being prepared. A stream counts itself, because it goes on
/// after that.
pub(super) async fn count(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let is_feed = query.split('&').any(|pair| pair.starts_with("after="));
    let _reading = match request.uri().path() {
        "/api/v1/stream" | "/metrics" => None,
        _ if is_feed => Some(api.metrics.reading("feed")),
        _ => Some(api.metrics.reading("list")),
    };
    next.run(request).await
}
