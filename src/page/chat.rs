//! `/chats/{idInstance}/{chatId}`: one conversation. Its messages come from the API.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use hyper::HeaderMap;

use super::failure::Failure;
use super::layout::{Layout, Section};
use super::{Page, html};
use crate::model::canonical_chat;

#[derive(askama::Template)]
#[template(path = "chat.html")]
struct View<'v> {
    layout: &'v Layout,
    id_instance: i64,
    chat_id: &'v str,
    /// The names of the forward destinations.
    destinations: Vec<String>,
}

pub(super) async fn show(
    State(page): State<Arc<Page>>,
    path: Result<Path<(i64, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Path((id_instance, chat_id)) = path.map_err(|_| Failure::NotFound)?;
    let layout = Layout::new(&page, &headers, Section::None);
    Ok(html::page(&View {
        layout: &layout,
        id_instance,
        chat_id: &canonical_chat(&chat_id),
        destinations: page.destinations(),
    }))
}
