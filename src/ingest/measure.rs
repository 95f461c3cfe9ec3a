//! Records each request to the webhook in the metrics.

use crate::clock::UnixMillis;
use crate::metrics::{Metrics, Stored};
use crate::model::Origin;
use crate::notification::{Outcome, Parsed};
use crate::store::Appended;

/// The label of an undocumented type, and of a body whose type cannot be told.
const OTHER: &str = "other";

/// Records a notification that is on disk.
pub(super) fn stored(
    metrics: &Metrics,
    parsed: &Parsed<'_>,
    (received_at, origin): (UnixMillis, Origin),
    stored: Appended,
) {
    let outcome = match &parsed.outcome {
        Outcome::Known(_) => "known",
        Outcome::Unknown(_) => "unknown",
        Outcome::Malformed(_) => "malformed",
    };
    record(
        metrics,
        parsed,
        (received_at, origin),
        outcome,
        stored.repeated,
    );
}

/// Records a notification of an ignored type.
pub(super) fn ignored(metrics: &Metrics, parsed: &Parsed<'_>, received_at: UnixMillis) {
    record(
        metrics,
        parsed,
        (received_at, Origin::Webhook),
        "ignored",
        false,
    );
}

fn record(
    metrics: &Metrics,
    parsed: &Parsed<'_>,
    (received_at, origin): (UnixMillis, Origin),
    outcome: &'static str,
    duplicate: bool,
) {
    let type_webhook = match &parsed.outcome {
        Outcome::Known(notification) | Outcome::Unknown(notification) => {
            notification.type_webhook()
        }
        Outcome::Malformed(_) => None,
    };
    // GREEN-API did not send it, so it has no lag, and the account did not speak.
    let was_sent = origin != Origin::Journal;
    metrics.stored(&Stored {
        type_webhook: type_webhook.unwrap_or(OTHER),
        outcome,
        duplicate,
        id_instance: parsed.columns.id_instance.filter(|_| was_sent),
        timestamp: parsed.columns.timestamp.filter(|_| was_sent),
        received_at: received_at.0,
    });
}
