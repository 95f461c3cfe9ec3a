//! `/instances`: a card for each account, with its state, its last 24 hours and its alerts.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use hyper::HeaderMap;

use super::alert::Told;
use super::failure::Failure;
use super::layout::{Layout, Section};
use super::sparkline::Sparkline;
use super::words::Words;
use super::{Page, html};
use crate::clock::UnixMillis;
use crate::model::{Account, Instance};
use crate::store::{InstanceQuery, Position};

/// Accounts in one view. Beyond that there is a link to the next ones.
const MAX_CARDS: u32 = 50;

/// Alerts on a card. The health view has all of them.
const MAX_ALERTS: usize = 5;

#[derive(askama::Template)]
#[template(path = "instances.html")]
struct View<'v> {
    layout: &'v Layout,
    cards: Vec<Card>,
    next: Option<i64>,
}

struct Card {
    instance: Instance,
    state: String,
    state_class: &'static str,
    since: Option<String>,
    newest_at: String,
    newest: String,
    sparkline: Sparkline,
    alerts: Vec<Told>,
    queue: Option<Queue>,
}

/// GREEN-API's queue of an account.
struct Queue {
    notifications: i64,
    measured_at: String,
}

pub(super) async fn show(
    State(page): State<Arc<Page>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let layout = Layout::new(&page, &headers, Section::Instances);
    page.projected(page.commits.newest()).await;
    let found = page
        .reader
        .instances(&InstanceQuery {
            instance: None,
            type_instance: None,
            position: after(query.as_deref()),
            limit: MAX_CARDS,
        })
        .await?;
    let ids: Vec<i64> = found.entries.iter().map(|one| one.id_instance).collect();
    let activity = page.reader.activity(&ids, page.clock.now()).await?;
    let mut alerts = page.alerts.shown();
    alerts.retain(|alert| alert.resolved_at.is_none());
    let accounts = page.accounts.all();
    let mut cards = Vec::with_capacity(found.entries.len());
    for instance in found.entries {
        let id = instance.id_instance;
        let counts = activity.get(&id).copied().unwrap_or_default();
        let own = alerts.iter().filter(|alert| alert.id_instance == Some(id));
        let own = own.take(MAX_ALERTS);
        let own = own.map(|alert| Told::of(alert, layout.words)).collect();
        let account = accounts.iter().find(|account| account.id_instance == id);
        let queue = account.and_then(Queue::of);
        cards.push(Card::new(instance, &counts, (own, queue), layout.words));
    }
    let view = View {
        layout: &layout,
        cards,
        next: found.next,
    };
    Ok(html::held(&view, found.memory))
}

impl Card {
    fn new(
        instance: Instance,
        counts: &[i64],
        (alerts, queue): (Vec<Told>, Option<Queue>),
        words: &Words,
    ) -> Self {
        let state = instance.state.as_ref();
        let name = state.map(|state| state.name.as_str());
        let state_class = match name {
            Some("authorized") => "good",
            None => "unknown",
            Some(_) => "bad",
        };
        let newest = instance.newest.type_webhook.as_deref().unwrap_or_default();
        Self {
            state: match name {
                Some(name) => words.states.name(name).unwrap_or(name).to_owned(),
                None => words.state_unknown.to_owned(),
            },
            state_class,
            since: state.map(|state| UnixMillis(state.since.saturating_mul(1000)).to_string()),
            newest_at: instance.newest.received_at.to_string(),
            newest: words.types.name(newest).unwrap_or(newest).to_owned(),
            sparkline: Sparkline::of(counts),
            alerts,
            queue,
            instance,
        }
    }
}

impl Queue {
    /// The queue of an account, if GREEN-API tells it.
    fn of(account: &Account) -> Option<Self> {
        Some(Self {
            notifications: account.queue_notifications?,
            measured_at: account.checked_at?.to_string(),
        })
    }
}

/// The position in `?after=`; the beginning if there is none.
fn after(query: Option<&str>) -> Position {
    let after = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "after")
        .and_then(|(_, value)| value.parse().ok());
    after.map_or(Position::Start, Position::After)
}
