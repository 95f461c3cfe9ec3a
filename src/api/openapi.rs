//! `GET /openapi.json`: OpenAPI 3.1 description of the private listener, generated from the code.

use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use hyper::header::CONTENT_TYPE;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::parameters::Parameters;
use super::{
    accounts, alerts, calls, chats, event, events, file, forward, health, instances, message,
    messages, metrics, reprocess, stats, stream,
};
use crate::http::Problem;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "green-inbox",
        description = "Access to the stored notifications of GREEN-API: read-only, apart from sending them to a forward destination again, parsing them again and comparing GREEN-API's journals."
    ),
    paths(
        events::list,
        event::show,
        event::body,
        file::of_event,
        stream::stream,
        messages::list,
        message::show,
        file::of_message,
        chats::list,
        instances::list,
        calls::list,
        stats::show,
        accounts::list,
        accounts::reconcile,
        alerts::list,
        forward::list,
        forward::dead,
        forward::replay,
        forward::enable,
        reprocess::show,
        reprocess::begin,
        health::live,
        health::ready,
        metrics::show,
        show,
    ),
    modifiers(&PrivateToken),
    security(("privateToken" = []), ()),
)]
struct Document;

/// Adds the bearer token of the private listener, which is needed only if one is configured.
struct PrivateToken;

impl Modify for PrivateToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("privateToken", scheme);
    }
}

/// Returns this description
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "description",
    responses(
        (status = OK, body = serde_json::Value),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(RawQuery(query): RawQuery) -> Result<Response, Problem> {
    Parameters::read(query.as_deref())?.finish()?;
    let document = Document::openapi()
        .to_pretty_json()
        .map_err(|_| Problem::internal())?;
    Ok(([(CONTENT_TYPE, "application/json")], document).into_response())
}
