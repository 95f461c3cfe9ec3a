//! Notifications that are answered 200 but not stored: `ingest.ignored_types`.

use crate::notification::{CallStatus, Notification, Outcome, Parsed};

/// Separates the type of a call from its status.
const SEPARATOR: char = ':';

/// A type of notification that is not stored.
#[derive(Debug)]
pub(super) enum IgnoredType {
    /// A value of `typeWebhook` or `typeMessage`.
    Type(String),
    /// Calls of this `typeWebhook` with this status.
    Call {
        type_webhook: String,
        status: String,
    },
}

impl IgnoredType {
    /// Parses an entry of the setting, which the configuration has already validated.
    pub(super) fn parse(setting: &str) -> Self {
        match setting.split_once(SEPARATOR) {
            None => Self::Type(setting.to_owned()),
            Some((type_webhook, status)) => Self::Call {
                type_webhook: type_webhook.to_owned(),
                status: CallStatus::usual_name(status).to_owned(),
            },
        }
    }

    /// Whether a notification is of this type.
    pub(super) fn matches(&self, parsed: &Parsed<'_>) -> bool {
        let columns = &parsed.columns;
        let is_webhook = |name: &str| columns.type_webhook.as_deref() == Some(name);
        match self {
            Self::Type(name) => is_webhook(name) || columns.type_message.as_deref() == Some(name),
            Self::Call {
                type_webhook,
                status,
            } => is_webhook(type_webhook) && call_status(parsed) == Some(status),
        }
    }
}

fn call_status<'p>(parsed: &'p Parsed<'_>) -> Option<&'p str> {
    match &parsed.outcome {
        Outcome::Known(Notification::IncomingCall(call) | Notification::OutgoingCall(call)) => {
            call.status_name()
        }
        _ => None,
    }
}
