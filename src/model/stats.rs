//! Counts of what is stored.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// Counts of what is stored, of all accounts or of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Events.
    pub events: i64,
    /// Events by what was made of them.
    pub events_by_outcome: BTreeMap<String, i64>,
    /// Events by `typeWebhook`; under the empty name those that have none.
    pub events_by_type: BTreeMap<String, i64>,
    /// Messages.
    pub messages: i64,
    /// Calls.
    pub calls: i64,
    /// Chats.
    pub chats: i64,
    /// Accounts.
    pub instances: i64,
}
