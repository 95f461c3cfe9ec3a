//! `/forward`: the destinations of events. How they are doing comes from the API and is renewed while the view is open;
//! its buttons post to the API too.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::HeaderMap;

use super::layout::{Layout, Section};
use super::{Page, html};

#[derive(askama::Template)]
#[template(path = "forward.html")]
struct View<'v> {
    layout: &'v Layout,
    /// The names of the destinations.
    names: Vec<String>,
    /// The identifier of each number, and its name.
    numbers: [(&'static str, &'static str); 6],
}

pub(super) async fn show(State(page): State<Arc<Page>>, headers: HeaderMap) -> Response {
    let layout = Layout::new(&page, &headers, Section::Forward);
    let words = layout.words;
    html::page(&View {
        layout: &layout,
        names: page.destinations(),
        numbers: [
            ("position", words.position),
            ("backlog", words.backlog),
            ("attempts", words.attempts),
            ("breaker", words.breaker),
            ("delivered", words.last_delivery),
            ("failing", words.failing_since),
        ],
    })
}

impl Page {
    /// The names of the forward destinations, in the order of the configuration.
    pub(super) fn destinations(&self) -> Vec<String> {
        let all = self.forwards.current().into_iter();
        all.map(|destination| destination.name).collect()
    }
}
