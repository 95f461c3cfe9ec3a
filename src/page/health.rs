//! `/health`: how the receiver is doing. The numbers come from the API and are renewed while the view is open.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::HeaderMap;

use super::layout::{Layout, Section};
use super::words::alert_texts;
use super::{Page, html};

#[derive(askama::Template)]
#[template(path = "health.html")]
struct View<'v> {
    layout: &'v Layout,
    /// The end of the identifier of each number, and its name.
    numbers: [(&'static str, &'static str); 14],
    /// What each alert says, as JSON.
    alert_texts: String,
    /// Reasons for which requests are refused, and the command that names the rule.
    explained: [(&'static str, String); 4],
    /// Reasons that no rule of admission decides, and the setting that does.
    settings: [(&'static str, &'static str); 3],
}

/// Stands for the address of a client in a command, until one was refused.
const ADDRESS: &str = "ADDRESS";

/// The reasons that `green-inbox explain` explains, and what the command needs after the address.
const EXPLAINED: [(&str, &str); 4] = [
    ("source-not-allowed", ""),
    ("bad-forwarded-for", " --forwarded-for '…'"),
    ("no-token", ""),
    ("wrong-token", " --authorization 'Bearer …'"),
];

/// Reasons that a setting decides.
const SETTINGS: [(&str, &str); 3] = [
    ("body-too-large", "ingest.body_limit_bytes"),
    ("body-timeout", "ingest.body_timeout_seconds"),
    ("no-memory", "ingest.body_memory_bytes"),
];

pub(super) async fn show(State(page): State<Arc<Page>>, headers: HeaderMap) -> Response {
    let layout = Layout::new(&page, &headers, Section::Health);
    let words = layout.words;
    let explained = EXPLAINED.map(|(reason, rest)| {
        let client = page.refused.client(reason);
        let client = client.map_or_else(|| ADDRESS.to_owned(), |client| client.to_string());
        let line = format!("green-inbox explain --peer {client}{rest}");
        (reason, line)
    });
    html::page(&View {
        layout: &layout,
        numbers: [
            ("rate", words.rate),
            ("commit", words.commit_time),
            ("lag", words.lag_time),
            ("waiting", words.waiting),
            ("behind", words.projection_lag),
            ("events", words.stored_events),
            ("oldest", words.oldest_event),
            ("database", words.database),
            ("wal", words.wal),
            ("projection", words.projection_file),
            ("free", words.disk_free),
            ("deleted", words.retention),
            ("backup", words.backup),
            ("readers", words.readers),
        ],
        alert_texts: alert_texts(words),
        explained,
        settings: SETTINGS,
    })
}
