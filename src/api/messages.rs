//! `GET /api/v1/messages`: messages with their current state.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::Uri;
use utoipa::IntoParams;

use super::Api;
use super::filter::FilterParameters;
use super::listing::{Listed, OrderParameter, PageParameters, PageRequest, ReadPage};
use super::parameters::Parameters;
use crate::http::Problem;
use crate::model::{Direction, Message};
use crate::store::{MessageFilter, MessageQuery, Words};

/// The filters that only messages have.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct MessageParameters {
    /// Only of this direction.
    #[param(inline)]
    direction: Option<Direction>,
    /// Only with this status.
    #[param(min_length = 1)]
    status: Option<String>,
    /// Only with all of these words in text, caption, file name or contacts; `*` at the end of a word stands
    /// for any ending. A phone number is found by its last 7 to 11 digits in any written form. At most 32
    /// different words of at most 200 characters each, and 256 characters of scripts without spaces.
    #[param(value_type = Option<String>, min_length = 1)]
    q: Option<Words>,
}

impl MessageParameters {
    fn read(parameters: &mut Parameters<'_>) -> Result<Self, Problem> {
        let words = parameters.text("q")?.map(|text| Words::parse(&text));
        Ok(Self {
            direction: parameters.value(
                "direction",
                "`incoming`, `outgoingPhone` or `outgoingApi`",
                |text| Direction::ALL.into_iter().find(|all| all.name() == text),
            )?,
            status: parameters.text("status")?,
            q: words
                .transpose()
                .map_err(|error| Problem::bad_parameter(format!("`q` takes {error}.")))?,
        })
    }
}

/// Lists messages
///
/// Each message is one entry. Edits, deletions, reactions and votes are not messages of their own: they show
/// in the message that they refer to. `type`, `outcome` and `drift` are those of the event that brought the
/// message; `since` and `until` refer to the first event about it. `chat` finds the messages of a chat in
/// whatever form their events name it. A message without `idMessage` or without a chat is one entry for each
/// event, with null there.
#[utoipa::path(
    get,
    path = "/api/v1/messages",
    tag = "messages",
    params(FilterParameters, MessageParameters, OrderParameter, PageParameters),
    responses(
        (status = OK, body = Listed<Message>, headers(("link" = String, description = "the next page (RFC 8288)"))),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, Problem> {
    let (page, messages) = read(&api, uri.query()).await?;
    Ok(page.response(messages, &uri))
}

/// Reads the messages that a query string asks for.
pub(crate) async fn read(api: &Api, query: Option<&str>) -> Result<ReadPage<Message>, Problem> {
    let mut parameters = Parameters::read(query)?;
    let common = FilterParameters::read(&mut parameters)?;
    let own = MessageParameters::read(&mut parameters)?;
    let order = OrderParameter::read(&mut parameters)?.or_descending();
    let page = PageRequest::read(api, &mut parameters, "messages", order)?;
    parameters.finish()?;
    api.caught_up().await?;
    let query = MessageQuery {
        filter: MessageFilter {
            instance: common.instance,
            type_webhook: common.type_webhook,
            type_message: common.type_message,
            chat: common.chat,
            outcome: common.outcome,
            drift: common.drift,
            since: common.since,
            until: common.until,
            direction: own.direction,
            status: own.status,
            words: own.q,
        },
        order,
        position: page.position,
        limit: page.limit,
    };
    Ok((page, api.reader.messages(&query).await?))
}
