//! `quotaExceeded`: a limit of the tariff was reached.

use serde::Deserialize;

use super::InstanceData;
use super::scalar::{Integer, Text};

/// A limit of the tariff was reached. Its examples have no `timestamp`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct QuotaExceeded<'a> {
    /// The account.
    pub instance_data: InstanceData<'a>,
    /// When it happened, in seconds since 1970.
    pub timestamp: Option<Integer>,
    /// The limit.
    pub quota_data: QuotaData<'a>,
}

/// A limit and how much of it is used.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct QuotaData<'a> {
    /// The method or the limit.
    pub method: Option<Text<'a>>,
    /// How much was used this month.
    pub used: Option<Integer>,
    /// How much there is in a month.
    pub total: Option<Integer>,
    /// A stable name of what happened.
    pub status: Option<Text<'a>>,
    /// The same in words; holds phone numbers.
    pub description: Option<Text<'a>>,
}
