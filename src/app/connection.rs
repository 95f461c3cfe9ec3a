//! Serves one connection with hyper's own builder, because `axum::serve` has no timeout for reading
//! request headers.

use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::debug;

use super::paced::Paced;
use crate::http::{Peer, Problem};

/// Header lines in a request. GREEN-API and nginx send about ten; hyper answers 431 beyond it.
const MAX_HEADERS: usize = 64;

/// Bytes of hyper's read buffer, and so of a request's headers. hyper checks the limit before each read,
/// so headers can reach twice the size.
const MAX_BUFFER_BYTES: usize = 64 * 1024;

/// Signals that end a connection.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    /// Close the connection after the request in progress.
    pub(super) drain: CancellationToken,
    /// Close the connection at once.
    pub(super) abort: CancellationToken,
}

/// Serves requests on a connection until it ends.
pub(super) async fn serve(
    stream: TcpStream,
    peer: Peer,
    router: Router,
    header_timeout: Duration,
    ending: Ending,
) {
    // Responses are written in one piece, so waiting to coalesce packets gains nothing.
    if let Err(failure) = stream.set_nodelay(true) {
        debug!(%failure, "the peer closed a connection before it was served");
        return;
    }
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request)
    });
    let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_BUFFER_BYTES);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(Paced::new(stream)), service));
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = ending.abort.cancelled() => return,
        () = ending.drain.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                result = connection => result,
                () = ending.abort.cancelled() => return,
            }
        }
    };
    if let Err(failure) = result {
        debug!(%failure, "a connection ended early");
    }
}

/// Router for a connection over the limit: serves the cheap routes in `always` (health checks) and answers
/// 503 to everything else. The connection closes after its response.
pub(super) fn over_the_limit(always: Router) -> Router {
    always
        .fallback(|| async {
            Problem::unavailable("There are too many connections; try again later.")
        })
        .layer(map_response(async |mut response: Response| {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
            response
        }))
}
