//! `GET /livez` and `GET /readyz`.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use green_inbox::api::{self, Api};
use green_inbox::clock::Clock;
use green_inbox::config::Private;
use green_inbox::http::{Peer, ReadGate};
use green_inbox::model::{Alerts, Forwards};
use green_inbox::store::{self, Commits, DeadLetters, Duties, Reader, Writer, WriterThread};
use hyper::{Request, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::support::append::event;
use crate::support::raw::Raw;
use crate::support::{TestServer, get};

/// The router of the private listener over a store that the test can break.
struct Parts {
    _folder: TempDir,
    writer: Option<Writer>,
    thread: WriterThread,
    reader: Reader,
    commits: Commits,
    stop: CancellationToken,
    router: axum::Router,
}

impl Parts {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = store::open(&folder.path().join("inbox.db"), 16, 0)
            .await
            .unwrap();
        let stop = CancellationToken::new();
        let reprocess = store.reprocessing().unwrap().requests();
        let router = api::router(Arc::new(Api {
            gate: Arc::new(ReadGate::new(&Private::default(), Clock::system()).unwrap()),
            clock: Clock::system(),
            reader: store.reader.clone(),
            commits: store.commits.clone(),
            projected: store.projected,
            deleted: store.deleted,
            metrics: store.metrics,
            alerts: Alerts::new(Clock::system()),
            accounts: green_inbox::model::Accounts::default(),
            forwards: Forwards::default(),
            dead_letters: DeadLetters::new(store.reader.clone()),
            duties: Duties::default(),
            reprocess,
            files: green_inbox::media::Folder::of(std::path::Path::new("nowhere")),
            node: None,
            stop: stop.clone(),
        }));
        Self {
            _folder: folder,
            writer: Some(store.writer),
            thread: store.thread,
            reader: store.reader,
            commits: store.commits,
            stop,
            router,
        }
    }

    async fn health(&self) -> [StatusCode; 2] {
        let ask = async |path: &str| {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let answer = self.router.clone().oneshot(request).await.unwrap();
            if answer.status() == 503 {
                assert_eq!(answer.headers()["content-type"], "application/problem+json");
                assert_eq!(answer.headers()["retry-after"], "60");
            }
            answer.status()
        };
        [ask("/livez").await, ask("/readyz").await]
    }
}

#[tokio::test]
async fn running_server_is_live_and_ready() {
    let server = TestServer::start().await;
    for (path, status) in [("/livez", "live"), ("/readyz", "ready")] {
        let answer = get(server.private, path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json(), json!({ "status": status }));
    }
}

#[tokio::test]
async fn stopping_server_is_live_but_not_ready() {
    let parts = Parts::new().await;
    assert_eq!(parts.health().await, [200, 200]);
    parts.stop.cancel();
    assert_eq!(parts.health().await, [200, 503]);
}

#[tokio::test]
async fn server_is_not_ready_after_the_writer_has_ended() {
    let mut parts = Parts::new().await;
    parts.writer = None;
    parts.thread.ended().await;
    assert_eq!(parts.health().await, [200, 503]);
}

#[tokio::test]
async fn server_whose_projection_has_stopped_is_not_ready_and_lists_say_so() {
    let parts = Parts::new().await;
    // The projection of another store, which ends with its writer.
    let folder = tempfile::tempdir().unwrap();
    let other = store::open(&folder.path().join("inbox.db"), 16, 0)
        .await
        .unwrap();
    let other_requests = other.reprocessing().unwrap().requests();
    let api = Arc::new(Api {
        gate: Arc::new(ReadGate::new(&Private::default(), Clock::system()).unwrap()),
        clock: Clock::system(),
        reader: parts.reader.clone(),
        commits: parts.commits.clone(),
        projected: other.projected.clone(),
        deleted: other.deleted,
        metrics: other.metrics.clone(),
        alerts: Alerts::new(Clock::system()),
        accounts: green_inbox::model::Accounts::default(),
        forwards: Forwards::default(),
        dead_letters: DeadLetters::new(parts.reader.clone()),
        duties: Duties::default(),
        reprocess: other_requests,
        files: green_inbox::media::Folder::of(std::path::Path::new("nowhere")),
        node: None,
        stop: parts.stop.clone(),
    });
    let writer = parts.writer.as_ref().unwrap();
    writer.append(event("{}")).await.unwrap();
    let (writer, mut projection) = (other.writer, other.projection);
    drop(writer);
    projection.ended().await;
    projection.ended().await;
    let router = api::router(api);
    let paths = [
        ("/livez", 200),
        ("/readyz", 503),
        ("/api/v1/events", 200),
        ("/api/v1/chats", 503),
    ];
    for (path, status) in paths {
        let peer = Peer("127.0.0.1:9".parse().unwrap());
        let request = Request::get(path)
            .extension(peer)
            .body(Body::empty())
            .unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        if status == 503 {
            let body = to_bytes(answer.into_body(), 4096).await.unwrap();
            let problem: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(problem["code"], "projection-stopped", "{path}");
        }
    }
}

#[tokio::test]
async fn server_is_not_ready_after_the_reader_is_closed() {
    let parts = Parts::new().await;
    parts.reader.close().await;
    assert_eq!(parts.health().await, [200, 503]);
}

#[tokio::test]
async fn idle_connections_beyond_the_limit_leave_health_reachable() {
    let server = TestServer::with(|config| config.private.max_connections = 4).await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(Raw::open(server.private).await);
    }
    for path in ["/livez", "/readyz"] {
        let answer = get(server.private, path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("connection"), "close");
    }
    // Every other path gets a 503.
    let answer = get(server.private, "/api/v1/events").await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (503, "unavailable")
    );
}

#[tokio::test]
async fn streams_on_all_connections_leave_health_reachable() {
    let server = TestServer::with(|config| config.private.max_connections = 4).await;
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut raw = Raw::open(server.private).await;
        raw.send("GET /api/v1/stream HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await;
        assert_eq!(raw.answer().await.status, 200);
        streams.push(raw);
    }
    assert_eq!(get(server.private, "/readyz").await.status, 200);
    assert_eq!(get(server.private, "/api/v1/events").await.status, 503);
}
