//! `outgoingMessageStatus`: the delivery status of a sent message.

use serde::Deserialize;

use super::scalar::{Id, Integer, Text};
use super::{InstanceData, nonblank};

/// Delivery status of a sent message. It may arrive before the message or without it.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct OutgoingMessageStatus<'a> {
    /// Instance that sent the message.
    pub instance_data: InstanceData<'a>,
    /// When it happened, Unix seconds.
    pub timestamp: Option<Integer>,
    /// Chat of the message.
    pub chat_id: Option<Id<'a>>,
    /// Identifier of the message.
    pub id_message: Option<Id<'a>>,
    /// Its new status.
    pub status: Option<DeliveryStatus<'a>>,
    /// Reason for a failure; may contain the marker `SWE004`.
    pub description: Option<Text<'a>>,
    /// Whether the message was sent through the API.
    pub send_by_api: Option<bool>,
}

/// Delivery status of a message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    bound(deserialize = "'de: 'a"),
    rename_all = "camelCase",
    expecting = "expected a string"
)]
pub enum DeliveryStatus<'a> {
    /// Handed to the messenger.
    Sent,
    /// Delivered to the recipient's device.
    Delivered,
    /// Read or listened to.
    Read,
    /// Not sent; the description gives the reason.
    Failed,
    /// The recipient has no account.
    NoAccount,
    /// The sending account is not a member of the group.
    NotInGroup,
    /// Sending is suspended because of a warning on the account.
    YellowCard,
    /// Sending is temporarily suspended.
    Suspended,
    /// WABA may message the recipient only within 24 hours of the recipient's last message, and that window
    /// has closed.
    NoActiveSession,
    /// An undocumented status.
    #[serde(untagged)]
    Unknown(Text<'a>),
}

impl OutgoingMessageStatus<'_> {
    /// The name of the status; `None` if it is missing or blank.
    #[must_use]
    pub fn status_name(&self) -> Option<&str> {
        nonblank(self.status.as_ref()?.name())
    }
}

impl DeliveryStatus<'_> {
    /// Its name as GREEN-API's docs spell it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
            Self::NoAccount => "noAccount",
            Self::NotInGroup => "notInGroup",
            Self::YellowCard => "yellowCard",
            Self::Suspended => "suspended",
            Self::NoActiveSession => "noActiveSession",
            Self::Unknown(name) => name,
        }
    }
}
