//! Errors as `application/problem+json` (RFC 9457) with a stable `code`.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use hyper::header::HeaderValue;
use hyper::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Seconds after which a refused notification may come again; GREEN-API waits as long by itself.
const RETRY_AFTER_SECONDS: &str = "60";

/// An error as its caller sees it. It says nothing of the inside.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    header: Option<(hyper::header::HeaderName, HeaderValue)>,
}

/// An error (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
struct Body<'a> {
    /// Always `about:blank`.
    r#type: &'a str,
    /// The status in words.
    title: &'a str,
    /// The status.
    status: u16,
    /// What went wrong, as a name that does not change.
    code: &'a str,
    /// What there is to say of this case.
    detail: &'a str,
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Body::schema()
    }
}

impl ToSchema for Problem {}

impl Problem {
    /// An error with its stable code and what there is to say of this case.
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
        }
    }

    /// 400: a parameter of the query or the path cannot be used.
    pub fn bad_parameter(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-parameter", detail)
    }

    /// 401, with the schemes that would be taken.
    #[must_use]
    pub fn unauthorized(challenge: &'static str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "A valid token is needed.",
        )
        .with_header(WWW_AUTHENTICATE, challenge)
    }

    /// 404.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is nothing at this address.",
        )
    }

    /// 405, with the method that would be taken.
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let detail = "This address takes another method.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
            .with_header(ALLOW, allow)
    }

    /// 415: the body is encoded in a way that is not decoded, with the one that is.
    #[must_use]
    pub fn unsupported_encoding() -> Self {
        let detail = "Of the codings of Content-Encoding only gzip is decoded; nothing was stored.";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Self::new(status, "unsupported-content-encoding", detail)
            .with_header(ACCEPT_ENCODING, "gzip")
    }

    /// 429: an attempt that came too early, with the seconds to wait.
    #[must_use]
    pub fn too_many_attempts(seconds: u64) -> Self {
        let detail = "Too many wrong tokens came from this address; try again later.";
        Self {
            header: Some((RETRY_AFTER, seconds.into())),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-attempts", detail)
        }
    }

    /// 500: a failure that is ours.
    #[must_use]
    pub fn internal() -> Self {
        let detail = "The server failed; its log says more.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// 503: nothing was done, and the same may be tried later.
    #[must_use]
    pub fn unavailable(detail: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
            .with_header(RETRY_AFTER, RETRY_AFTER_SECONDS)
    }

    /// 503: what is derived from the events is behind them.
    #[must_use]
    pub fn catching_up(detail: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "catching-up", detail)
            .with_header(RETRY_AFTER, "5")
    }

    /// 503: other readers hold everything that reading may take.
    #[must_use]
    pub fn busy() -> Self {
        let detail = "Other readers hold all connections to the database or all memory for \
                      answers; try again later.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).with_header(RETRY_AFTER, "5")
    }

    /// 503: the query was stopped at its deadline.
    #[must_use]
    pub fn query_timeout() -> Self {
        let detail = "The query took too long and was stopped; ask for less, with longer words, a \
                      chat, an instance or a time.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "query-timeout", detail)
    }

    /// 500: what is stored there is damaged, and the same will be answered again.
    #[must_use]
    pub fn damaged() -> Self {
        let detail = "What is stored there is damaged on the disk; the log of the server says how \
                      to save what is readable.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "damaged", detail)
    }

    fn with_header(mut self, name: hyper::header::HeaderName, value: &'static str) -> Self {
        self.header = Some((name, HeaderValue::from_static(value)));
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
        };
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.extend(self.header);
        (self.status, headers, axum::Json(body)).into_response()
    }
}
