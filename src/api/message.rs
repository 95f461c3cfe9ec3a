//! `GET /api/v1/messages/{idInstance}/{chatId}/{idMessage}`: one message with its history.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use hyper::Uri;
use hyper::header::LINK;
use serde::Serialize;
use utoipa::ToSchema;

use super::cursor::List;
use super::listing::{link, position};
use super::parameters::Parameters;
use super::{Api, answer, cursor};
use crate::http::Problem;
use crate::model::MessageWithHistory;
use crate::store::{MessageId, Order, Single};

const NAME: &str = "message";

/// A message, a page of its history, and the way to the next page.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessagePage)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    /// The message with what was done to it.
    #[serde(flatten)]
    message: MessageWithHistory,
    /// Where the history goes on, where there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// One message with its statuses, edits, reactions and votes
///
/// A history of more than 1,000 events or 2 MiB comes in pages: each has the message and what the
/// next of its events say, in the order of their arrival from page to page and in time order within
/// a page. Of reactions and votes each page has the last of each person in that page, and `poll`, which
/// needs all votes, is null where there is more than one page.
#[utoipa::path(
    get,
    path = "/api/v1/messages/{idInstance}/{chatId}/{idMessage}",
    tag = "messages",
    params(
        ("idInstance" = i64, Path, description = "the account"),
        ("chatId" = String, Path, description = "the chat, in any of its forms"),
        ("idMessage" = String, Path, description = "the message, unique only within its chat"),
        ("cursor" = Option<String>, Query, min_length = 1, description = "`nextCursor` of the page before"),
        ("epoch" = Option<String>, Query, min_length = 1, description = "the epoch that was read before: of another one the answer is 409 `feed-rewound`"),
    ),
    responses(
        (status = OK, body = Shown, headers(("link" = String, description = "where it goes on (RFC 8288)"))),
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
    let Ok(Path((id_instance, chat_id, id_message))) = path else {
        return Err(Problem::bad_parameter(
            "`chatId` and `idMessage` must be UTF-8, percent-encoded.",
        ));
    };
    let id_instance = id_instance
        .parse()
        .map_err(|_| Problem::bad_parameter("`idInstance` must be a whole number."))?;
    let id = MessageId {
        id_instance,
        chat_id,
        id_message,
    };
    let list = List {
        name: NAME,
        filter: &id,
        order: Order::Ascending,
        epoch: api.reader.epoch(),
    };
    let position = position(&api, &mut parameters, list)?;
    parameters.finish()?;
    api.caught_up().await?;
    let found = api.reader.message(&id, position).await?;
    let Single { entry, memory } = found.ok_or_else(Problem::not_found)?;
    let next_cursor = entry.next.map(|seq| cursor::write(seq, list));
    let link = next_cursor
        .as_ref()
        .map(|cursor| link(&uri, "cursor", cursor));
    let shown = Shown {
        message: entry,
        next_cursor,
    };
    let body = answer::json(&shown, memory);
    Ok(match link {
        None => body,
        Some(link) => ([(LINK, link)], body).into_response(),
    })
}
