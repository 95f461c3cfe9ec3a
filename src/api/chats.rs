//! `GET /api/v1/chats`: the newest message of each chat.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::Uri;
use utoipa::IntoParams;

use super::Api;
use super::cursor::List;
use super::listing::{self, Listed, PageParameters};
use super::parameters::Parameters;
use crate::http::Problem;
use crate::model::Chat;
use crate::store::{ChatQuery, Order};

const NAME: &str = "chats";

/// The filters of chats, as they are described to others.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "only what is made of it is read")]
pub(super) struct ChatParameters {
    /// Only of this `idInstance`.
    instance: Option<i64>,
}

/// Chats in pages, that with the newest message first
///
/// A chat in which a message comes moves to the front, where who began to read before it does not
/// see it any more; nothing is shown twice.
///
/// Where a `@lid` chat and a `@c.us` chat are known to be of one person, each names the other in
/// `aliasOf`.
#[utoipa::path(
    get,
    path = "/api/v1/chats",
    tag = "chats",
    params(ChatParameters, PageParameters),
    responses(
        (status = OK, body = Listed<Chat>, headers(("link" = String, description = "where it goes on (RFC 8288)"))),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, Problem> {
    let mut parameters = Parameters::read(uri.query())?;
    let instance = parameters.number("instance", i64::MIN..=i64::MAX)?;
    let limit = listing::limit(&mut parameters)?;
    let list = List {
        name: NAME,
        filter: &instance,
        order: Order::Descending,
        epoch: api.reader.epoch(),
    };
    let position = listing::position(&api, &mut parameters, list)?;
    parameters.finish()?;
    api.caught_up().await?;
    let query = ChatQuery {
        instance,
        position,
        limit,
    };
    let page = api.reader.chats(&query).await?;
    Ok(listing::answer(page, &uri, list))
}
