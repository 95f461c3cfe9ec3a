//! The filters that events and messages share.

use utoipa::IntoParams;

use super::parameters::Parameters;
use crate::clock::UnixMillis;
use crate::http::Problem;
use crate::model::OutcomeKind;
use crate::store::EventFilter;

/// The filters of events.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct FilterParameters {
    /// Only of this `idInstance`.
    pub(crate) instance: Option<i64>,
    /// Only of this `typeWebhook`.
    #[param(rename = "type", min_length = 1)]
    pub(crate) type_webhook: Option<String>,
    /// Only of this `typeMessage`.
    #[param(min_length = 1)]
    pub(crate) type_message: Option<String>,
    /// Only of this chat.
    #[param(min_length = 1)]
    pub(crate) chat: Option<String>,
    /// Only with this outcome.
    #[param(inline)]
    pub(crate) outcome: Option<OutcomeKind>,
    /// Only with drift (`true`): fields that do not have the documented form; or only without (`false`).
    pub(crate) drift: Option<bool>,
    /// `true`: without events that say the same as an earlier one. A message is one row in any case.
    #[param(default = false)]
    pub(crate) distinct: Option<bool>,
    /// Only first received at this moment or later.
    #[param(value_type = Option<String>, format = DateTime)]
    pub(crate) since: Option<UnixMillis>,
    /// Only first received before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    pub(crate) until: Option<UnixMillis>,
}

impl FilterParameters {
    /// Takes the filters from the parameters of a request.
    pub(crate) fn read(parameters: &mut Parameters<'_>) -> Result<Self, Problem> {
        Ok(Self {
            instance: parameters.instance()?,
            type_webhook: parameters.text("type")?,
            type_message: parameters.text("typeMessage")?,
            chat: parameters.text("chat")?,
            outcome: parameters.value(
                "outcome",
                "`known`, `unknown` or `malformed`",
                OutcomeKind::from_name,
            )?,
            drift: parameters.flag("drift")?,
            distinct: parameters.flag("distinct")?,
            since: parameters.moment("since")?,
            until: parameters.moment("until")?,
        })
    }
}

impl From<FilterParameters> for EventFilter {
    fn from(parameters: FilterParameters) -> Self {
        Self {
            instance: parameters.instance,
            type_webhook: parameters.type_webhook,
            type_message: parameters.type_message,
            chat: parameters.chat,
            outcome: parameters.outcome,
            drift: parameters.drift,
            distinct: parameters.distinct.unwrap_or(false),
            since: parameters.since,
            until: parameters.until,
        }
    }
}
