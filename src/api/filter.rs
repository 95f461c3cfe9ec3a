//! The parameters that say which events are meant.

use utoipa::IntoParams;

use super::parameters::Parameters;
use crate::clock::UnixMillis;
use crate::http::Problem;
use crate::model::OutcomeKind;
use crate::store::EventFilter;

/// Takes the filters from the parameters of a request.
pub(super) fn read(parameters: &mut Parameters<'_>) -> Result<EventFilter, Problem> {
    Ok(EventFilter {
        instance: parameters.number("instance", i64::MIN..=i64::MAX)?,
        type_webhook: parameters.text("type")?,
        type_message: parameters.text("typeMessage")?,
        chat: parameters.text("chat")?,
        outcome: parameters.value(
            "outcome",
            "`known`, `unknown` or `malformed`",
            OutcomeKind::from_name,
        )?,
        drift: flag(parameters, "drift")?,
        distinct: flag(parameters, "distinct")?.unwrap_or(false),
        since: moment(parameters, "since")?,
        until: moment(parameters, "until")?,
    })
}

/// Takes `true` or `false`.
pub(super) fn flag(parameters: &mut Parameters<'_>, name: &str) -> Result<Option<bool>, Problem> {
    parameters.value(name, "`true` or `false`", |text| text.parse().ok())
}

/// Takes a moment.
pub(super) fn moment(
    parameters: &mut Parameters<'_>,
    name: &str,
) -> Result<Option<UnixMillis>, Problem> {
    let expected = "a moment in RFC 3339, as 2026-01-31T12:00:00Z";
    parameters.value(name, expected, |text| text.parse().ok())
}

/// The same as they are described to others.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "only what is made of it is read")]
pub(super) struct FilterParameters {
    /// Only of this `idInstance`.
    instance: Option<i64>,
    /// Only of this `typeWebhook`.
    #[param(rename = "type", min_length = 1)]
    type_webhook: Option<String>,
    /// Only of this `typeMessage`.
    #[param(min_length = 1)]
    type_message: Option<String>,
    /// Only of this chat.
    #[param(min_length = 1)]
    chat: Option<String>,
    /// Only with this outcome.
    #[param(inline)]
    outcome: Option<OutcomeKind>,
    /// Only with fields that do not fit (`true`), or without (`false`).
    drift: Option<bool>,
    /// `true`: without events that say the same as an earlier one. A message is one row anyway.
    #[param(default = false)]
    distinct: Option<bool>,
    /// Only what came first at this moment or later.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only what came first before this moment.
    #[param(format = DateTime)]
    until: Option<String>,
}
