//! An account: its state, its socket, its quota, and the last that was heard of it.

use serde::Serialize;
use utoipa::ToSchema;

use super::message::notification;
use crate::clock::UnixMillis;
use crate::notification::{Notification, parse};

/// An account as it is given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// The account.
    pub id_instance: i64,
    /// `whatsapp`, `v3` (MAX), `telegram`.
    #[schema(required)]
    pub type_instance: Option<String>,
    /// Its authorization; null until it was told.
    #[schema(required)]
    pub state: Option<State>,
    /// Its socket; null until it was told.
    #[schema(required)]
    pub socket: Option<Socket>,
    /// The last that was told of its quota.
    #[schema(required)]
    pub quota: Option<Quota>,
    /// The newest notification of it.
    pub newest: NewestEvent,
}

/// The authorization of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = InstanceState)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// `authorized`, `notAuthorized`, `blocked`, `yellowCard` and so on.
    pub name: String,
    /// When it began, seconds since 1970.
    pub since: i64,
    /// The event that told it last.
    pub seq: i64,
}

/// The socket of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = InstanceSocket)]
#[serde(rename_all = "camelCase")]
pub struct Socket {
    /// `online` or `offline`.
    pub name: String,
    /// When it was told, seconds since 1970.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// The event that told it.
    pub seq: i64,
}

/// A limit of the tariff that was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = InstanceQuota)]
#[serde(rename_all = "camelCase")]
pub struct Quota {
    /// The method or the limit.
    #[schema(required)]
    pub method: Option<String>,
    /// How much was used this month.
    #[schema(required)]
    pub used: Option<i64>,
    /// How much there is in a month.
    #[schema(required)]
    pub total: Option<i64>,
    /// A stable name of what happened.
    #[schema(required)]
    pub status: Option<String>,
    /// The same in words.
    #[schema(required)]
    pub description: Option<String>,
    /// GREEN-API's own timestamp, seconds since 1970.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// The event that told it.
    pub seq: i64,
}

/// The newest notification of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewestEvent {
    /// The event.
    pub seq: i64,
    /// When it came first.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: UnixMillis,
    /// Its `typeWebhook`.
    #[schema(required)]
    pub type_webhook: Option<String>,
    /// GREEN-API's own timestamp, seconds since 1970.
    #[schema(required)]
    pub timestamp: Option<i64>,
}

impl Socket {
    /// The socket that the event `seq` with this body tells.
    #[must_use]
    pub fn of(seq: i64, body: &[u8]) -> Option<Self> {
        let parsed = parse(body);
        Some(Self {
            name: notification(&parsed)?.state_name()?.to_owned(),
            timestamp: parsed.columns.timestamp,
            seq,
        })
    }
}

impl Quota {
    /// The quota that the event `seq` with this body tells.
    #[must_use]
    pub fn of(seq: i64, body: &[u8]) -> Option<Self> {
        let parsed = parse(body);
        match notification(&parsed)? {
            Notification::QuotaExceeded(exceeded) => {
                let quota = &exceeded.quota_data;
                Some(Self {
                    method: quota.method.as_deref().map(str::to_owned),
                    used: quota.used.map(|used| used.0),
                    total: quota.total.map(|total| total.0),
                    status: quota.status.as_deref().map(str::to_owned),
                    description: quota.description.as_deref().map(str::to_owned),
                    timestamp: parsed.columns.timestamp,
                    seq,
                })
            }
            _ => None,
        }
    }
}
