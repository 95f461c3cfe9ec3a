//! What a reader sees in place of a view.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use tracing::error;

use super::Page;
use super::html;
use super::layout::{Layout, Section};
use super::words::Words;
use crate::http::Problem;
use crate::store::ReadError;

/// Why a view cannot be shown.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing exists at this address.
    NotFound,
    /// The database or the projection has no time for this request.
    Busy,
    /// Stored data is damaged.
    Damaged,
    /// The server failed.
    Internal,
    /// The client may not read.
    Refused(Problem),
}

/// Marks a response that [`render`] replaces with a page.
#[derive(Debug, Clone, Copy)]
enum Kind {
    NotFound,
    Busy,
    Damaged,
    Internal,
    Refused,
    TooMany,
}

#[derive(askama::Template)]
#[template(path = "failure.html")]
struct View<'v> {
    layout: &'v Layout,
    title: &'static str,
    help: &'static str,
}

impl From<ReadError> for Failure {
    fn from(failure: ReadError) -> Self {
        match failure {
            ReadError::Busy | ReadError::TooLong | ReadError::Rebuilding | ReadError::Away(_) => {
                Self::Busy
            }
            ReadError::Damaged(_) | ReadError::DamagedBody => {
                error!(%failure, "a view cannot be shown: {failure}");
                Self::Damaged
            }
            ReadError::Database(_) => {
                error!(%failure, "a view cannot be shown");
                Self::Internal
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (kind, mut response) = match self {
            Self::NotFound => (Kind::NotFound, Problem::not_found().into_response()),
            Self::Busy => (Kind::Busy, Problem::busy().into_response()),
            Self::Damaged => (Kind::Damaged, Problem::damaged().into_response()),
            Self::Internal => (Kind::Internal, Problem::internal().into_response()),
            Self::Refused(problem) if problem.status() == StatusCode::TOO_MANY_REQUESTS => {
                (Kind::TooMany, problem.into_response())
            }
            Self::Refused(problem) => (Kind::Refused, problem.into_response()),
        };
        response.extensions_mut().insert(kind);
        response
    }
}

impl Kind {
    fn text(self, words: &'static Words) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => (words.not_found, words.not_found_help),
            Self::Busy => (words.busy, words.busy_help),
            Self::Damaged => (words.damaged, words.damaged_help),
            Self::Internal => (words.internal, words.internal_help),
            Self::Refused => (words.refused, words.refused_help),
            Self::TooMany => (words.too_many, words.too_many_help),
        }
    }
}

/// Middleware that shows failures as pages. Status and headers stay as they are.
pub(super) async fn render(
    State(page): State<Arc<Page>>,
    request: Request,
    next: Next,
) -> Response {
    let layout = Layout::new(&page, request.headers(), Section::None);
    let response = next.run(request).await;
    let Some(kind) = response.extensions().get::<Kind>().copied() else {
        return response;
    };
    let (title, help) = kind.text(layout.words);
    let view = View {
        layout: &layout,
        title,
        help,
    };
    let (mut head, _) = response.into_parts();
    let (own, body) = html::page(&view).into_parts();
    head.headers.remove(CONTENT_LENGTH);
    if let Some(html) = own.headers.get(CONTENT_TYPE) {
        head.headers.insert(CONTENT_TYPE, html.clone());
    }
    Response::from_parts(head, body)
}
