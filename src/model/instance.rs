//! An account: its authorization state, socket, quota and newest notification.

use serde::Serialize;
use utoipa::ToSchema;

use super::parsed::notification;
use crate::clock::UnixMillis;
use crate::notification::{Notification, parse};

/// An account as the API returns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// Instance number of the account.
    pub id_instance: i64,
    /// Messenger: `whatsapp`, `v3` (MAX) or `telegram`.
    #[schema(required)]
    pub type_instance: Option<String>,
    /// Authorization state; null until a notification reports it.
    #[schema(required)]
    pub state: Option<State>,
    /// Socket state; null until a notification reports it.
    #[schema(required)]
    pub socket: Option<Socket>,
    /// The latest notification of an exceeded quota.
    #[schema(required)]
    pub quota: Option<Quota>,
    /// The account's newest notification.
    pub newest: NewestEvent,
}

/// Authorization state of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = InstanceState)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// `authorized`, `notAuthorized`, `blocked`, `yellowCard` and so on.
    pub name: String,
    /// When the account entered this state, Unix seconds.
    pub since: i64,
    /// Sequence number of the latest event that reported it.
    pub seq: i64,
}

/// Socket state of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = InstanceSocket)]
#[serde(rename_all = "camelCase")]
pub struct Socket {
    /// `online` or `offline`.
    pub name: String,
    /// Timestamp from the notification, Unix seconds.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// Sequence number of the event that reported it.
    pub seq: i64,
}

/// A tariff limit that was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = InstanceQuota)]
#[serde(rename_all = "camelCase")]
pub struct Quota {
    /// The method or limit that was exceeded.
    #[schema(required)]
    pub method: Option<String>,
    /// Amount used this month.
    #[schema(required)]
    pub used: Option<i64>,
    /// Monthly allowance.
    #[schema(required)]
    pub total: Option<i64>,
    /// Stable status name.
    #[schema(required)]
    pub status: Option<String>,
    /// Human-readable form of the status.
    #[schema(required)]
    pub description: Option<String>,
    /// Timestamp from the notification, Unix seconds.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// Sequence number of the event that reported it.
    pub seq: i64,
}

/// The newest notification of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewestEvent {
    /// Sequence number of the event.
    pub seq: i64,
    /// When it first arrived.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: UnixMillis,
    /// Its `typeWebhook`.
    #[schema(required)]
    pub type_webhook: Option<String>,
    /// Timestamp from the notification, Unix seconds.
    #[schema(required)]
    pub timestamp: Option<i64>,
}

impl Socket {
    /// Socket state reported by the event `seq` with this body.
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
    /// Exceeded quota reported by the event `seq` with this body.
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
