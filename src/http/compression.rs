//! Compresses responses for clients that accept it.

use hyper::header::ETAG;
use hyper::http::Extensions;
use hyper::{HeaderMap, StatusCode, Version};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, DefaultPredicate, Predicate, SizeAbove};

/// Bytes of a body. A smaller one is not compressed, because it fits into one packet anyway.
const MIN_BYTES: u64 = 1024;

/// Predicate on the response head: true if the response has no `ETag`.
type Untagged = fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool;

/// Compresses large responses, with two exceptions. The default predicate excludes `text/event-stream`, whose
/// events would wait in the encoder. A response with an `ETag` is excluded because a strong tag identifies
/// one encoding of the body.
#[must_use]
pub fn layer() -> CompressionLayer<And<And<DefaultPredicate, SizeAbove>, Untagged>> {
    let untagged: Untagged = |_, _, headers, _| !headers.contains_key(ETAG);
    let worth_it = DefaultPredicate::new().and(SizeAbove::new(MIN_BYTES));
    CompressionLayer::new()
        // Keep the CPU for receiving notifications; JSON compresses well at every level.
        .quality(CompressionLevel::Fastest)
        .compress_when(worth_it.and(untagged))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::response::IntoResponse;
    use hyper::Request;
    use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
    use tower::{ServiceBuilder, ServiceExt, service_fn};

    #[tokio::test]
    async fn event_stream_is_not_compressed() {
        for (content_type, compressed) in [
            ("application/json", true),
            ("text/event-stream", false),
            ("text/event-stream; charset=utf-8", false),
        ] {
            let service = service_fn(async |_: Request<()>| {
                let body = "data\n".repeat(1000);
                Ok::<_, Infallible>(([(CONTENT_TYPE, content_type)], body).into_response())
            });
            let request = Request::get("/").header(ACCEPT_ENCODING, "gzip");
            let response = ServiceBuilder::new()
                .layer(super::layer())
                .service(service)
                .oneshot(request.body(()).unwrap())
                .await
                .unwrap();
            let is_compressed = response.headers().contains_key(CONTENT_ENCODING);
            assert_eq!(is_compressed, compressed, "{content_type}");
        }
    }
}
