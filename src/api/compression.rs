//! Answers are compressed for whoever says that they take it.

use hyper::header::ETAG;
use hyper::http::Extensions;
use hyper::{HeaderMap, StatusCode, Version};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, DefaultPredicate, Predicate, SizeAbove};

/// What is smaller than this travels in one packet either way.
const LEAST_BYTES: u64 = 1024;

/// Whether an answer may be compressed, by its head.
type Untagged = fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool;

/// Compresses what is worth it. Neither a stream of events, which would wait in the encoder (the
/// default predicate leaves it out), nor what has an entity tag: a strong tag is of one encoding.
pub(super) fn layer() -> CompressionLayer<And<And<DefaultPredicate, SizeAbove>, Untagged>> {
    let untagged: Untagged = |_, _, headers, _| !headers.contains_key(ETAG);
    let worth_it = DefaultPredicate::new().and(SizeAbove::new(LEAST_BYTES));
    CompressionLayer::new()
        // The processors are for taking notifications, and JSON shrinks well at any level.
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
    async fn a_stream_of_events_is_not_compressed() {
        for (content_type, compressed) in [
            ("application/json", true),
            ("text/event-stream", false),
            ("text/event-stream; charset=utf-8", false),
        ] {
            let answer = service_fn(async |_: Request<()>| {
                let body = "data\n".repeat(1000);
                Ok::<_, Infallible>(([(CONTENT_TYPE, content_type)], body).into_response())
            });
            let request = Request::get("/").header(ACCEPT_ENCODING, "gzip");
            let answer = ServiceBuilder::new()
                .layer(super::layer())
                .service(answer)
                .oneshot(request.body(()).unwrap())
                .await
                .unwrap();
            let is_compressed = answer.headers().contains_key(CONTENT_ENCODING);
            assert_eq!(is_compressed, compressed, "{content_type}");
        }
    }
}
