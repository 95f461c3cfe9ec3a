//! `GET /api/v1/messages/{idInstance}/{chatId}/{idMessage}`: one message with its history.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};

use super::Api;
use super::parameters::Parameters;
use crate::http::Problem;
use crate::store::MessageWithHistory;

/// One message with its statuses, edits, reactions and votes
#[utoipa::path(
    get,
    path = "/api/v1/messages/{idInstance}/{chatId}/{idMessage}",
    tag = "messages",
    params(
        ("idInstance" = i64, Path, description = "the account"),
        ("chatId" = String, Path, description = "the chat"),
        ("idMessage" = String, Path, description = "the message, unique only within its chat"),
    ),
    responses(
        (status = OK, body = MessageWithHistory),
        (status = "4XX", description = "refused, or there is none", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    path: Result<Path<(String, String, String)>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<MessageWithHistory>, Problem> {
    Parameters::read(query.as_deref())?.finish()?;
    let Ok(Path((id_instance, chat_id, id_message))) = path else {
        return Err(Problem::bad_parameter(
            "`chatId` and `idMessage` must be UTF-8, percent-encoded.",
        ));
    };
    let id_instance = id_instance
        .parse()
        .map_err(|_| Problem::bad_parameter("`idInstance` must be a whole number."))?;
    api.caught_up().await?;
    let found = api.reader.message(id_instance, &chat_id, &id_message);
    found.await?.map(Json).ok_or_else(Problem::not_found)
}
