//! `/`: what arrives, newest first. The rows come from the API.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::HeaderMap;

use super::layout::{Layout, Section};
use super::{Page, html};

#[derive(askama::Template)]
#[template(path = "live.html")]
struct View<'v> {
    layout: &'v Layout,
    types: &'v [(&'static str, &'static str)],
    kinds: &'v [(&'static str, &'static str)],
}

pub(super) async fn show(State(page): State<Arc<Page>>, headers: HeaderMap) -> Response {
    let layout = Layout::new(&page, &headers, Section::Live);
    html::page(&View {
        layout: &layout,
        types: &layout.words.types.all(),
        kinds: &layout.words.kinds.all(),
    })
}
