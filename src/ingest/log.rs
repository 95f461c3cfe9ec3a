//! What is said of a notification, at the levels that document 003 (section 1.3.13, 4) asks for:
//! problems of the schema ERROR (see `drift_log` for single fields), types never seen WARN, ignored
//! types DEBUG, the work INFO.
//!
//! No line has a token, a phone number or a text; chats and senders are phone numbers.

use std::net::IpAddr;

use tracing::{debug, error, info, warn};

use super::Rejection;
use crate::clock::Clock;
use crate::http::{LeftOut, LineLimit};
use crate::notification::{Notification, Outcome, Parsed};
use crate::store::Appended;

/// Bytes of the name of a status or a state that are logged.
const MAX_NAME_BYTES: usize = 64;

/// What is said of requests that are not taken: of each kind one line for each client and minute.
#[derive(Debug)]
pub struct Refusals(LineLimit);

impl Refusals {
    pub(super) fn new(clock: Clock) -> Self {
        Self(LineLimit::new(clock))
    }

    /// A request that did not pass a gate.
    pub(super) fn refused(&self, client: IpAddr, reason: &Rejection) {
        if let Some(left_out) = self.0.admit(client, reason.kind()) {
            tell_left_out(Some(client), reason.kind(), left_out);
            warn!(%client, %reason, "refused a request: {reason}");
        }
    }

    /// A notification that is not on disk.
    pub(super) fn not_stored(&self, client: IpAddr, reason: &Rejection) {
        if let Some(left_out) = self.0.admit(client, reason.kind()) {
            tell_left_out(Some(client), reason.kind(), left_out);
            error!(%reason, "a notification was not stored and will be sent again: {reason}");
        }
    }

    /// Says how many lines were left out, of all minutes that are over; at the end of all.
    pub fn tell(&self, is_end: bool) {
        for LeftOut {
            address,
            kind,
            count,
        } in self.0.take(is_end)
        {
            tell_left_out(address, kind, count);
        }
    }
}

fn tell_left_out(client: Option<IpAddr>, kind: &str, count: u64) {
    if count > 0 {
        let client = client.map_or_else(|| "others".to_owned(), |client| client.to_string());
        warn!(
            client,
            kind, count, "refused {count} more requests of {client} within a minute: {kind}"
        );
    }
}

/// A notification of a type that is to be ignored.
pub(super) fn ignored(parsed: &Parsed<'_>) {
    let (type_webhook, id_instance) = (type_webhook(parsed), parsed.columns.id_instance);
    debug!(
        typeWebhook = type_webhook,
        idInstance = id_instance,
        "ignored {type_webhook:?}"
    );
}

/// A notification that is on disk.
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
    let status = notification.and_then(Notification::status_name).map(cut);
    let state = notification.and_then(Notification::state_name).map(cut);
    // The same fields at four levels: a level is part of a line's static description.
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
                "stored {type_webhook} as {seq}: {alert}, an operator should look at it"
            ),
        },
        Outcome::Unknown(_) => {
            line!(
                warn,
                "unknown",
                "stored as {seq} a type never seen: {type_webhook:?} {type_message:?}"
            );
        }
        Outcome::Malformed(reason) => {
            line!(error, "malformed", %reason, "stored as {seq} what does not fit: {reason}");
        }
    }
}

/// The beginning of a name, which may be anything where it is in no document.
fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(MAX_NAME_BYTES)]
}

fn type_webhook<'p>(parsed: &'p Parsed<'_>) -> &'p str {
    parsed.columns.type_webhook.as_deref().unwrap_or_default()
}
