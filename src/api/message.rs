//! `GET /api/v1/messages/{idInstance}/{chatId}/{idMessage}`: one message with its history.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use hyper::Uri;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::listing::{PageRequest, linked};
use super::parameters::Parameters;
use crate::http::Problem;
use crate::model::MessageWithHistory;
use crate::store::{MessageId, Order, Single};

/// A message with one page of its history.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessagePage)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    /// The message and its history.
    #[serde(flatten)]
    message: MessageWithHistory,
    /// The cursor of the next page of the history, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Returns one message with its statuses, edits, reactions and votes
///
/// A history of more than 1,000 events or 2 MiB is split into pages. Each page repeats the message and adds
/// the next events: pages follow the order of arrival, and the events within a page are sorted by time. A
/// page has the last reaction and the last vote of each person among its own events. `poll` needs all votes,
/// so it is null if there is more than one page.
#[utoipa::path(
    get,
    path = "/api/v1/messages/{idInstance}/{chatId}/{idMessage}",
    tag = "messages",
    params(
        ("idInstance" = i64, Path, description = "the account"),
        ("chatId" = String, Path, description = "the chat, in any of its forms"),
        ("idMessage" = String, Path, description = "the message, unique only within its chat"),
        ("cursor" = Option<String>, Query, min_length = 1, description = "`nextCursor` of the previous page"),
        ("epoch" = Option<String>, Query, min_length = 1, description = "the epoch of an earlier response; if the database has another one, the answer is 409 `feed-rewound`"),
    ),
    responses(
        (status = OK, body = Shown, headers(("link" = String, description = "the next page (RFC 8288)"))),
        (status = "4XX", description = "refused, or there is none", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    path: Result<Path<(String, String, String)>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::read(uri.query())?;
    let id = read_id(path)?;
    let list = format!(
        "message {} {} {}",
        id.id_instance, id.chat_id, id.id_message
    );
    let page = PageRequest::read_without_limit(&api, &mut parameters, &list, Order::Ascending)?;
    parameters.finish()?;
    api.caught_up().await?;
    let found = api.reader.message(&id, page.position).await?;
    let Single { entry, memory } = found.ok_or_else(Problem::not_found)?;
    let next_cursor = page.cursor(entry.next);
    let next = next_cursor.clone().map(|cursor| ("cursor", cursor));
    let shown = Shown {
        message: entry,
        next_cursor,
    };
    Ok(linked(&shown, memory, &uri, next))
}

/// The message that a path names.
pub(super) fn read_id(
    path: Result<Path<(String, String, String)>, PathRejection>,
) -> Result<MessageId, Problem> {
    let Ok(Path((id_instance, chat_id, id_message))) = path else {
        return Err(Problem::bad_parameter(
            "`chatId` and `idMessage` must be UTF-8, percent-encoded.",
        ));
    };
    let id_instance = id_instance
        .parse()
        .map_err(|_| Problem::bad_parameter("`idInstance` must be a whole number."))?;
    Ok(MessageId {
        id_instance,
        chat_id,
        id_message,
    })
}
