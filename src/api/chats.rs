//! `GET /api/v1/chats`: each chat with its newest message.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::Uri;
use utoipa::IntoParams;

use super::Api;
use super::listing::{Listed, PageParameters, PageRequest, ReadPage};
use super::parameters::Parameters;
use crate::http::Problem;
use crate::model::Chat;
use crate::store::{ChatQuery, Order};

/// The filters of chats.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct ChatParameters {
    /// Only of this `idInstance`.
    instance: Option<i64>,
}

/// Lists chats, the one with the newest message first
///
/// A chat that receives a message moves to the front. A client that has already read the first page does not
/// see it again on a later page; no chat is listed twice.
///
/// If a `@lid` chat and a `@c.us` chat are known to belong to one person, each names the other in
/// `aliasOf`.
#[utoipa::path(
    get,
    path = "/api/v1/chats",
    tag = "chats",
    params(ChatParameters, PageParameters),
    responses(
        (status = OK, body = Listed<Chat>, headers(("link" = String, description = "the next page (RFC 8288)"))),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, Problem> {
    let (page, chats) = read(&api, uri.query()).await?;
    Ok(page.response(chats, &uri))
}

/// Reads the chats that a query string asks for.
pub(crate) async fn read(api: &Api, query: Option<&str>) -> Result<ReadPage<Chat>, Problem> {
    let mut parameters = Parameters::read(query)?;
    let filter = ChatParameters {
        instance: parameters.instance()?,
    };
    let page = PageRequest::read(api, &mut parameters, "chats", Order::Descending)?;
    parameters.finish()?;
    api.caught_up().await?;
    let query = ChatQuery {
        instance: filter.instance,
        position: page.position,
        limit: page.limit,
    };
    Ok((page, api.reader.chats(&query).await?))
}
