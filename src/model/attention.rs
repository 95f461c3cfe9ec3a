//! What an operator should hear about a single event.

use super::OutcomeKind;
use crate::clock::UnixMillis;
use crate::notification::{Drift, Outcome, Parsed};

/// An event that an operator should hear about.
#[derive(Debug)]
pub struct Attention {
    /// Its seq.
    pub seq: i64,
    /// When it arrived.
    pub received_at: UnixMillis,
    /// A marker, `failed`, `noAccount` or `quotaExceeded`, if it has such a meaning; else empty.
    pub meaning: String,
    /// How it was parsed.
    pub outcome: OutcomeKind,
    /// Why it is malformed.
    pub reason: Option<String>,
    /// Its fields of an unexpected form.
    pub drift: Vec<Drift>,
    /// Its instance.
    pub id_instance: Option<i64>,
    /// Its `typeWebhook`.
    pub type_webhook: Option<String>,
    /// Its `typeMessage`.
    pub type_message: Option<String>,
    /// Its chat, which may be a phone number.
    pub chat_id: Option<String>,
}

impl Attention {
    /// The meaning of a failed message that the alerts have read. It is kept while it counts towards
    /// `alerts.failed_per_hour`, so that a restart does not forget it.
    pub const COUNTED: &str = "counted";

    /// The meaning of a notification to store; `None` if an operator need not hear about it.
    #[must_use]
    pub fn meaning(parsed: &Parsed<'_>) -> Option<&'static str> {
        match &parsed.outcome {
            Outcome::Malformed(_) | Outcome::Unknown(_) => Some(""),
            Outcome::Known(notification) => match notification.alert() {
                Some(
                    alert @ ("SWE001" | "SWE002" | "SWE003" | "SWE004" | "SWE999" | "failed"
                    | "noAccount" | "quotaExceeded"),
                ) => Some(alert),
                _ if !parsed.drift.is_empty() => Some(""),
                _ => None,
            },
        }
    }
}
