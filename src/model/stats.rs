//! Counters of the stored data.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// Counts of the stored data, for all accounts or for one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Number of events.
    pub events: i64,
    /// Events by outcome.
    pub events_by_outcome: BTreeMap<String, i64>,
    /// Events by `typeWebhook`. Events without one are counted under the empty name.
    pub events_by_type: BTreeMap<String, i64>,
    /// Number of messages.
    pub messages: i64,
    /// Number of calls.
    pub calls: i64,
    /// Number of chats.
    pub chats: i64,
    /// Number of accounts.
    pub instances: i64,
}
