//! The parameters that say which events are meant.

use super::parameters::Parameters;
use crate::clock::UnixMillis;
use crate::http::Problem;
use crate::store::{EventFilter, OutcomeKind};

/// Takes the filters from the parameters of a request.
pub(super) fn read(parameters: &mut Parameters<'_>) -> Result<EventFilter, Problem> {
    let moment = |text: &str| text.parse::<UnixMillis>().ok();
    let moment_expected = "a moment in RFC 3339, as 2026-01-31T12:00:00Z";
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
        since: parameters.value("since", moment_expected, moment)?,
        until: parameters.value("until", moment_expected, moment)?,
    })
}
