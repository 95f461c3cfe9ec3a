//! Logs each notification. Schema problems are logged at ERROR (single fields in `drift_log`), unknown types
//! at WARN, stored notifications at INFO and ignored types at DEBUG.
//!
//! No line contains a token, a phone number or a text. Chats and senders are not logged, because their ids
//! are phone numbers.

use std::net::IpAddr;

use tracing::{debug, error, info, warn};

use super::Rejection;
use crate::clock::Clock;
use crate::http::{LeftOut, LineLimit};
use crate::model::LastRefused;
use crate::notification::{Notification, Outcome, Parsed};
use crate::store::Appended;

/// Bytes of the name of a status or a state that are logged. Longer names are truncated.
const MAX_NAME_BYTES: usize = 64;

/// Logs refused requests: one line per minute for each client and kind of refusal.
#[derive(Debug)]
pub struct Refusals {
    lines: LineLimit,
    last: LastRefused,
}

impl Refusals {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            lines: LineLimit::new(clock),
            last: LastRefused::default(),
        }
    }

    /// The clients that were refused last.
    #[must_use]
    pub fn last(&self) -> LastRefused {
        self.last.clone()
    }

    /// Logs a request that did not pass a gate.
    pub(super) fn refused(&self, client: IpAddr, reason: &Rejection) {
        self.last.note(reason.kind(), client);
        if let Some(dropped) = self.lines.admit(client, reason.kind()) {
            log_dropped(Some(client), reason.kind(), dropped);
            warn!(%client, %reason, "refused a request: {reason}");
        }
    }

    /// Logs a notification that could not be stored.
    pub(super) fn not_stored(&self, client: IpAddr, reason: &Rejection) {
        if let Some(dropped) = self.lines.admit(client, reason.kind()) {
            log_dropped(Some(client), reason.kind(), dropped);
            error!(%reason, "a notification was not stored; GREEN-API will send it again: {reason}");
        }
    }

    /// Logs how many lines were dropped in the minutes that are over, or in all minutes if `is_end`.
    pub fn tell(&self, is_end: bool) {
        for LeftOut {
            address,
            kind,
            count,
        } in self.lines.take(is_end)
        {
            log_dropped(address, kind, count);
        }
    }
}

fn log_dropped(client: Option<IpAddr>, kind: &str, count: u64) {
    if count > 0 {
        let client = client.map_or_else(|| "others".to_owned(), |client| client.to_string());
        warn!(
            client,
            kind, count, "refused {count} more requests from {client} within a minute: {kind}"
        );
    }
}

/// Logs a notification of an ignored type.
pub(super) fn ignored(parsed: &Parsed<'_>) {
    let (type_webhook, id_instance) = (type_webhook(parsed), parsed.columns.id_instance);
    debug!(
        typeWebhook = type_webhook,
        idInstance = id_instance,
        "ignored a notification of type {type_webhook:?}"
    );
}

/// Logs a notification that is on disk.
pub(super) fn stored(parsed: &Parsed<'_>, stored: Appended) {
    let Appended { seq, repeated } = stored;
    let type_webhook = type_webhook(parsed);
    let columns = &parsed.columns;
    let type_message = columns.type_message.as_deref();
    let (id_instance, timestamp) = (columns.id_instance, columns.timestamp);
    let id_message = columns.id_message.as_deref();
    let notification = match &parsed.outcome {
        Outcome::Known(notification) | Outcome::Unknown(notification) => Some(notification),
        Outcome::Malformed(_) => None,
    };
    let status = notification
        .and_then(Notification::status_name)
        .map(truncated);
    let state = notification
        .and_then(Notification::state_name)
        .map(truncated);
    // A macro, because the level is part of an event's static metadata: the same fields at several levels.
    macro_rules! line {
        ($level:ident, $outcome:literal, $($message:tt)+) => {
            $level!(
                seq,
                repeated,
                outcome = $outcome,
                typeWebhook = type_webhook,
                typeMessage = type_message,
                idInstance = id_instance,
                idMessage = id_message,
                status,
                state,
                timestamp,
                $($message)+
            )
        };
    }
    match &parsed.outcome {
        Outcome::Known(notification) => match notification.alert() {
            None => line!(info, "known", "stored {type_webhook} as {seq}"),
            Some(alert) => line!(
                warn,
                "known",
                alert,
                "stored {type_webhook} as {seq}: {alert}; an operator should look at it"
            ),
        },
        Outcome::Unknown(_) => {
            line!(
                warn,
                "unknown",
                "stored a notification of unknown type as {seq}: {type_webhook:?} {type_message:?}"
            );
        }
        Outcome::Malformed(reason) => {
            line!(error, "malformed", %reason, "stored a malformed notification as {seq}: {reason}");
        }
    }
}

/// Truncates a name. An undocumented name may be of any length.
fn truncated(name: &str) -> &str {
    &name[..name.floor_char_boundary(MAX_NAME_BYTES)]
}

fn type_webhook<'p>(parsed: &'p Parsed<'_>) -> &'p str {
    parsed.columns.type_webhook.as_deref().unwrap_or_default()
}
