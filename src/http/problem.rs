//! Error responses: `application/problem+json` (RFC 9457) with a stable `code`.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use hyper::header::HeaderValue;
use hyper::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Seconds until the client should retry. GREEN-API waits this long between attempts anyway.
const RETRY_AFTER_SECONDS: &str = "60";

/// An error response. It reveals no internals to the client.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    header: Option<Box<(hyper::header::HeaderName, HeaderValue)>>,
    last_common_seq: Option<i64>,
}

/// An error response (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
struct Body<'a> {
    /// Always `about:blank`.
    r#type: &'a str,
    /// Reason phrase of the HTTP status.
    title: &'a str,
    /// HTTP status code.
    status: u16,
    /// Stable, machine-readable name of the error.
    code: &'a str,
    /// Explanation of this occurrence, for people.
    detail: &'a str,
    /// With `feed-rewound`, if it is known: the events up to this seq are the same as in the epoch of the request.
    #[serde(rename = "lastCommonSeq", skip_serializing_if = "Option::is_none")]
    last_common_seq: Option<i64>,
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Body::schema()
    }
}

impl ToSchema for Problem {}

impl Problem {
    /// An error with its stable code and an explanation of this occurrence.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            header: None,
            last_common_seq: None,
        }
    }

    /// Names the last seq up to which the events are those that the client has read.
    #[must_use]
    pub fn with_last_common_seq(mut self, seq: Option<i64>) -> Self {
        self.last_common_seq = seq;
        self
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Its stable name.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The explanation of this occurrence, for people.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// 400: a query or path parameter is unusable.
    pub fn bad_parameter(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-parameter", detail)
    }

    /// 401: the token is missing or wrong. `challenge` is the value of `WWW-Authenticate`.
    #[must_use]
    pub fn unauthorized(challenge: &'static str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "The token is missing or wrong; send a valid one in `Authorization`.",
        )
        .with_header(WWW_AUTHENTICATE, challenge)
    }

    /// 404: nothing exists at this path.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "Nothing exists at this path.",
        )
    }

    /// 405: the path does not support this method. `allow` is the value of `Allow`.
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let detail = "This path does not support the method; use one listed in `Allow`.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
            .with_header(ALLOW, allow)
    }

    /// 409: another node does what the request is about. `node` is its name, if it is known.
    #[must_use]
    pub fn elsewhere(node: Option<&str>) -> Self {
        let detail = node.map_or_else(
            || "No node does this at the moment; retry in some seconds.".to_owned(),
            |node| format!("The node `{node}` does this at the moment; send the request to it."),
        );
        Self::new(StatusCode::CONFLICT, "elsewhere", detail)
    }

    /// 415: the `Content-Encoding` is not gzip.
    #[must_use]
    pub fn unsupported_encoding() -> Self {
        let detail = "The only supported Content-Encoding is gzip; nothing was stored.";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Self::new(status, "unsupported-content-encoding", detail)
            .with_header(ACCEPT_ENCODING, "gzip")
    }

    /// 429: this address sent too many wrong tokens. The client may retry after `seconds`.
    #[must_use]
    pub fn too_many_attempts(seconds: u64) -> Self {
        let detail =
            "This address sent too many wrong tokens; retry after the time in `Retry-After`.";
        Self {
            header: Some(Box::new((RETRY_AFTER, seconds.into()))),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-attempts", detail)
        }
    }

    /// 500: the server failed.
    #[must_use]
    pub fn internal() -> Self {
        let detail = "The server failed; see its log for the cause.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// 503: nothing was done; the client may retry the same request later.
    #[must_use]
    pub fn unavailable(detail: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
            .with_header(RETRY_AFTER, RETRY_AFTER_SECONDS)
    }

    /// 503: the projection lags behind the events or is being rebuilt.
    #[must_use]
    pub fn catching_up(detail: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "catching-up", detail)
            .with_header(RETRY_AFTER, "5")
    }

    /// 503: the projection thread has ended, which is a bug.
    #[must_use]
    pub fn projection_stopped() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "projection-stopped",
            "The projection has stopped; notifications are still accepted. The log says what to do.",
        )
    }

    /// 503: other readers use all database connections or all response memory.
    #[must_use]
    pub fn busy() -> Self {
        let detail = "Other readers use all database connections or all response memory; retry \
                      later.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).with_header(RETRY_AFTER, "5")
    }

    /// 503: the query was interrupted at its deadline.
    #[must_use]
    pub fn query_timeout() -> Self {
        let detail = "The query took too long and was interrupted; narrow it with longer words, a \
                      chat, an instance or a time range.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "query-timeout", detail)
    }

    /// 500: the requested data is damaged on disk. A retry fails in the same way.
    #[must_use]
    pub fn damaged() -> Self {
        let detail = "The requested data is damaged on disk; the server's log says how to recover \
                      the readable data.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "damaged", detail)
    }

    fn with_header(mut self, name: hyper::header::HeaderName, value: &'static str) -> Self {
        self.header = Some(Box::new((name, HeaderValue::from_static(value))));
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            last_common_seq: self.last_common_seq,
        };
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.extend(self.header.map(|header| *header));
        (self.status, headers, axum::Json(body)).into_response()
    }
}
