//! One connection, on hyper's own builder: `axum::serve` cannot bound the time that the head of a
//! request takes.

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

/// Header lines of a request; GREEN-API and nginx send about ten.
const MAX_HEADERS: usize = 64;

/// Bytes of the head of a request, and of what is read at once; hyper looks before it reads, so that
/// a head may have up to twice as many.
const MAX_BUFFER_BYTES: usize = 64 * 1024;

/// How a connection is told to end.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    /// After the request that was begun.
    pub(super) stop: CancellationToken,
    /// At once.
    pub(super) cut: CancellationToken,
}

/// Answers the requests of a connection until it ends.
pub(super) async fn serve(
    stream: TcpStream,
    peer: Peer,
    router: Router,
    header_timeout: Duration,
    ending: Ending,
) {
    // Answers are small and written whole.
    if let Err(failure) = stream.set_nodelay(true) {
        debug!(%failure, "a connection was gone before it was served");
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
        () = ending.cut.cancelled() => return,
        () = ending.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                result = connection => result,
                () = ending.cut.cancelled() => return,
            }
        }
    };
    if let Err(failure) = result {
        debug!(%failure, "a connection ended early");
    }
}

/// What answers on a connection over the bound: `always`, which costs next to nothing and has to be
/// answered even then, and a 503 for everything else. The connection is closed after its answer.
pub(super) fn over_the_bound(always: Router) -> Router {
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
