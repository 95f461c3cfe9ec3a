//! `quotaExceeded`: a tariff limit was reached.

use serde::Deserialize;

use super::InstanceData;
use super::scalar::{Integer, Text};

/// A tariff limit was reached. GREEN-API's examples have no `timestamp`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct QuotaExceeded<'a> {
    /// Instance that sent the notification.
    pub instance_data: InstanceData<'a>,
    /// When it happened, Unix seconds.
    pub timestamp: Option<Integer>,
    /// The limit.
    pub quota_data: QuotaData<'a>,
}

/// A limit and its usage.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct QuotaData<'a> {
    /// The method or limit that was exceeded.
    pub method: Option<Text<'a>>,
    /// Amount used this month.
    pub used: Option<Integer>,
    /// Monthly allowance.
    pub total: Option<Integer>,
    /// Stable status name.
    pub status: Option<Text<'a>>,
    /// Human-readable form of the status; contains phone numbers.
    pub description: Option<Text<'a>>,
}
