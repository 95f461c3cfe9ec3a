//! `/api/v1/forward`: the destinations of events, their dead letters, and sending events again.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use hyper::{StatusCode, Uri};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::filter::FilterParameters;
use super::listing::{Listed, PageParameters, PageRequest};
use super::parameters::Parameters;
use crate::http::Problem;
use crate::model::{DeadLetter, ForwardCommand, ForwardState, ForwardStatus, Replayed};
use crate::store::{EventQuery, Order, Position};

/// Events that are handed to a destination at once.
const BATCH: u32 = 500;

/// The duty of delivering.
const FORWARD: &str = "forward";

/// All destinations.
#[derive(Serialize, ToSchema)]
#[schema(as = Forward)]
pub(super) struct Shown {
    /// The destinations, in the order of the configuration.
    data: Vec<ForwardStatus>,
}

/// How many events are sent again.
#[derive(Serialize, ToSchema)]
#[schema(as = Replay)]
pub(super) struct Queued {
    /// Events that are queued. They are delivered after what the destination already waits for.
    queued: u64,
}

/// What only a replay has.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct ReplayParameters {
    /// Only this event.
    #[param(minimum = 1)]
    seq: Option<i64>,
    /// `true`: the dead letters of the destination. Not with a filter.
    #[param(default = false)]
    dead: Option<bool>,
}

/// Lists the forward destinations
#[utoipa::path(
    get,
    path = "/api/v1/forward",
    tag = "forward",
    responses(
        (status = OK, body = Shown),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Shown>, Problem> {
    Parameters::read(query.as_deref())?.finish()?;
    let mut data = api.forwards.current();
    for one in &mut data {
        if one.state == ForwardState::Elsewhere {
            let node = api.duties.duty(FORWARD).elsewhere();
            one.node = node.map(|node| node.to_string());
        }
    }
    Ok(Json(Shown { data }))
}

/// Lists the dead letters of a destination, sorted by `seq`
#[utoipa::path(
    get,
    path = "/api/v1/forward/{name}/dead",
    tag = "forward",
    params(("name" = String, Path, description = "the name of the destination"), PageParameters),
    responses(
        (status = OK, body = Listed<DeadLetter>, headers(("link" = String, description = "the next page (RFC 8288)"))),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn dead(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::read(uri.query())?;
    let list = format!("forward/{name}/dead");
    let page = PageRequest::read(&api, &mut parameters, &list, Order::Ascending)?;
    parameters.finish()?;
    api.forwards
        .commands(&name)
        .ok_or_else(Problem::not_found)?;
    let dead = api.dead_letters.page(&name, page.position, page.limit);
    Ok(page.response(dead.await?, &uri))
}

/// Sends stored events to a destination again
///
/// The events that match the filters, one event, or all dead letters. Events that the destination has not read
/// yet, or is trying at the moment, are left out: it gets them anyway.
#[utoipa::path(
    post,
    path = "/api/v1/forward/{name}/replay",
    tag = "forward",
    params(("name" = String, Path, description = "the name of the destination"), FilterParameters, ReplayParameters),
    responses(
        (status = OK, body = Queued),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn replay(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Json<Queued>, Problem> {
    let mut parameters = Parameters::read(uri.query())?;
    let is_filtered = !parameters.canonical_filter().is_empty();
    let own = ReplayParameters {
        seq: parameters.number("seq", 1..=i64::MAX)?,
        dead: parameters.flag("dead")?,
    };
    let filter = FilterParameters::read(&mut parameters)?.into();
    parameters.finish()?;
    let commands = commands(&api, &name)?;
    if !is_filtered {
        return Err(Problem::bad_parameter(
            "Give `seq`, `dead=true` or a filter; `since=1970-01-01T00:00:00Z` means all events.",
        ));
    }
    let mut query = EventQuery {
        filter,
        order: Order::Ascending,
        position: Position::Start,
        limit: BATCH,
        max_bytes: 0,
        with_body: false,
    };
    if query.filter.is_derived() {
        api.caught_up().await?;
    }
    let mut queued = 0;
    loop {
        let (events, next) = match (own.seq, own.dead) {
            (Some(seq), _) => (one(&api, seq).await?, None),
            (None, Some(true)) => dead_batch(&api, &name, query.position).await?,
            (None, _) => batch(&api, &query).await?,
        };
        let (answer, answered) = oneshot::channel();
        let sent = commands.send(ForwardCommand::Replay(events, answer)).await;
        let stopped = "The destination is stopping, or the disk is full; what was queued is kept.";
        sent.map_err(|_| Problem::unavailable(stopped))?;
        queued += answered.await.map_err(|_| Problem::unavailable(stopped))?;
        let Some(next) = next else {
            return Ok(Json(Queued { queued }));
        };
        query.position = Position::After(next);
    }
}

/// Lets a destination go on after a 410
#[utoipa::path(
    post,
    path = "/api/v1/forward/{name}/enable",
    tag = "forward",
    params(("name" = String, Path, description = "the name of the destination")),
    responses(
        (status = NO_CONTENT, description = "done"),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn enable(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    Parameters::read(query.as_deref())?.finish()?;
    let commands = commands(&api, &name)?;
    let sent = commands.send(ForwardCommand::Enable).await;
    sent.map_err(|_| Problem::unavailable("The program is stopping."))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The channel to the task of a destination, if this node delivers.
fn commands(api: &Api, name: &str) -> Result<mpsc::Sender<ForwardCommand>, Problem> {
    let all = api.forwards.current();
    let known = all.into_iter().find(|known| known.name == name);
    let known = known.ok_or_else(Problem::not_found)?;
    if known.state == ForwardState::Elsewhere {
        let node = api.duties.duty(FORWARD).elsewhere();
        return Err(Problem::elsewhere(node.as_deref()));
    }
    api.forwards.commands(name).ok_or_else(Problem::not_found)
}

async fn one(api: &Api, seq: i64) -> Result<Vec<Replayed>, Problem> {
    let event = api.reader.event_without_body(seq).await?;
    let event = event.ok_or_else(Problem::not_found)?;
    Ok(vec![replayed(event)])
}

/// Events to send again, and the seq after which there are more.
type Batch = (Vec<Replayed>, Option<i64>);

async fn batch(api: &Api, query: &EventQuery) -> Result<Batch, Problem> {
    let page = api.reader.events(query).await?;
    Ok((page.entries.into_iter().map(replayed).collect(), page.next))
}

async fn dead_batch(api: &Api, name: &str, position: Position) -> Result<Batch, Problem> {
    let page = api.dead_letters.page(name, position, BATCH).await?;
    let mut events = Vec::with_capacity(page.entries.len());
    for dead in &page.entries {
        let event = api.reader.event_without_body(dead.seq).await?;
        events.extend(event.map(replayed));
    }
    Ok((events, page.next))
}

fn replayed(event: crate::model::Event) -> Replayed {
    Replayed {
        seq: event.seq,
        id_instance: event.id_instance,
        chat_id: event.chat_id,
    }
}
