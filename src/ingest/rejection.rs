//! Maps every failure of receiving a notification to its response, in one place.

use axum::response::{IntoResponse, Response};
use hyper::StatusCode;

use super::body::BodyError;
use super::{SourceRefused, Unauthorized};
use crate::http::Problem;
use crate::store::Unavailable;

/// Why a notification was not accepted. GREEN-API will send it again.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// Refused by the source gate.
    #[error(transparent)]
    Source(#[from] SourceRefused),
    /// Refused by the token gate.
    #[error(transparent)]
    Token(#[from] Unauthorized),
    /// Refused by the body gate.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The store could not commit it.
    #[error(transparent)]
    Store(#[from] Unavailable),
    /// The commit took too long. It may still succeed.
    #[error("the commit took too long")]
    CommitTimeout,
}

impl Rejection {
    /// A name for the log, from a small fixed set.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Source(SourceRefused::NotAllowed(_)) => "source-not-allowed",
            Self::Source(SourceRefused::BadForwardedFor(_)) => "bad-forwarded-for",
            Self::Token(Unauthorized::Nothing) => "no-token",
            Self::Token(Unauthorized::Wrong) => "wrong-token",
            Self::Body(BodyError::TooLarge(_)) => "body-too-large",
            Self::Body(BodyError::Timeout) => "body-timeout",
            Self::Body(BodyError::Interrupted) => "body-incomplete",
            Self::Body(BodyError::UnsupportedEncoding) => "unsupported-content-encoding",
            Self::Body(BodyError::NoMemory) => "no-memory",
            Self::Store(_) | Self::CommitTimeout => "unavailable",
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self {
            Self::Source(_) => Problem::new(
                StatusCode::FORBIDDEN,
                "source-not-allowed",
                "Requests from this address are not allowed.",
            ),
            Self::Token(_) => {
                Problem::unauthorized("Bearer realm=\"webhook\", Basic realm=\"webhook\"")
            }
            Self::Body(BodyError::TooLarge(limit)) => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                format!("The body is over {limit} bytes."),
            ),
            Self::Body(BodyError::Timeout) => Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "body-timeout",
                "The body did not arrive in time; nothing was stored.",
            ),
            Self::Body(BodyError::Interrupted) => Problem::new(
                StatusCode::BAD_REQUEST,
                "body-incomplete",
                "The connection was closed before the whole body arrived; nothing was stored.",
            ),
            Self::Body(BodyError::UnsupportedEncoding) => Problem::unsupported_encoding(),
            Self::Body(BodyError::NoMemory)
            | Self::Store(
                Unavailable::Full
                | Unavailable::Stopped
                | Unavailable::Failed
                | Unavailable::Away
                | Unavailable::DiskLow
                | Unavailable::OverBudget,
            )
            | Self::CommitTimeout => unavailable(),
        }
        .into_response()
    }
}

/// 503: the sender must not count on the notification being stored.
pub(super) fn unavailable() -> Problem {
    Problem::unavailable("The notification is not confirmed as stored; send it again later.")
}
