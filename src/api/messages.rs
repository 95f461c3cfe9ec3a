//! `GET /api/v1/messages`: messages with what became of them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::Uri;
use utoipa::IntoParams;

use super::Api;
use super::cursor::List;
use super::filter::{self, FilterParameters};
use super::listing::{self, Listed, OrderParameter, PageParameters};
use super::parameters::Parameters;
use crate::http::Problem;
use crate::model::{Direction, Message};
use crate::store::{EventFilter, MessageFilter, MessageQuery, Order, Words};

const NAME: &str = "messages";

/// The filters of messages beside those of events, as they are described to others.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "only what is made of it is read")]
pub(super) struct MessageParameters {
    /// Only of this direction.
    #[param(inline)]
    direction: Option<Direction>,
    /// Only with this status.
    #[param(min_length = 1)]
    status: Option<String>,
    /// Only with all of these words in text, caption, file name or contacts; a `*` stands for the end of
    /// a word. A phone number is found by its last 7 to 11 digits in any written form. At most 32
    /// different words of at most 200 characters each, and 256 characters of scripts without spaces.
    #[param(min_length = 1)]
    q: Option<String>,
}

/// Messages in pages
///
/// One row a message. Edits, deletions, reactions and votes are no messages: they are seen at the
/// message that they name. `type`, `outcome` and `drift` are those of the event that brought the message,
/// `since` and `until` ask when the first event came that speaks of it. `chat` finds the messages of a
/// chat in whatever form their events name it. A message without `idMessage` or without a chat is a row
/// of its own for each event, with null there.
#[utoipa::path(
    get,
    path = "/api/v1/messages",
    tag = "messages",
    params(FilterParameters, MessageParameters, OrderParameter, PageParameters),
    responses(
        (status = OK, body = Listed<Message>, headers(("link" = String, description = "where it goes on (RFC 8288)"))),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, Problem> {
    let query = read_request(&api, uri.query())?;
    api.caught_up().await?;
    let page = api.reader.messages(&query).await?;
    let list = List {
        name: NAME,
        filter: &query.filter,
        order: query.order,
        epoch: api.reader.epoch(),
    };
    Ok(listing::answer(page, &uri, list))
}

fn read_request(api: &Api, query: Option<&str>) -> Result<MessageQuery, Problem> {
    let mut parameters = Parameters::read(query)?;
    let EventFilter {
        instance,
        type_webhook,
        type_message,
        chat,
        outcome,
        drift,
        // A message is one row, however often it came.
        distinct: _,
        since,
        until,
    } = filter::read(&mut parameters)?;
    let direction = parameters.value(
        "direction",
        "`incoming`, `outgoingPhone` or `outgoingApi`",
        |text| Direction::ALL.into_iter().find(|all| all.name() == text),
    )?;
    let words = parameters.text("q")?.map(|asked| Words::parse(&asked));
    let words = words
        .transpose()
        .map_err(|error| Problem::bad_parameter(format!("`q` takes {error}.")))?;
    let filter = MessageFilter {
        instance,
        type_webhook,
        type_message,
        chat,
        outcome,
        drift,
        since,
        until,
        direction,
        status: parameters.text("status")?,
        words,
    };
    let order = listing::order(&mut parameters)?.unwrap_or(Order::Descending);
    let limit = listing::limit(&mut parameters)?;
    let list = List {
        name: NAME,
        filter: &filter,
        order,
        epoch: api.reader.epoch(),
    };
    let position = listing::position(api, &mut parameters, list)?;
    parameters.finish()?;
    Ok(MessageQuery {
        filter,
        order,
        position,
        limit,
    })
}
