//! `outgoingMessageStatus`: what became of a sent message.

use serde::Deserialize;

use super::scalar::{Id, Integer, Text};
use super::{InstanceData, said};

/// What became of a sent message. It may come before the message, or without it.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct OutgoingMessageStatus<'a> {
    /// The account that sent the message.
    pub instance_data: InstanceData<'a>,
    /// When it happened, in seconds since 1970.
    pub timestamp: Option<Integer>,
    /// The chat of the message.
    pub chat_id: Option<Id<'a>>,
    /// The message that this speaks of.
    pub id_message: Option<Id<'a>>,
    /// What became of it.
    pub status: Option<DeliveryStatus<'a>>,
    /// Why it failed; may hold the marker `SWE004`.
    pub description: Option<Text<'a>>,
    /// Whether it was sent through the API.
    pub send_by_api: Option<bool>,
}

/// How far a message came.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    bound(deserialize = "'de: 'a"),
    rename_all = "camelCase",
    expecting = "expected a string"
)]
pub enum DeliveryStatus<'a> {
    /// Handed to the messenger.
    Sent,
    /// On the receiver's device.
    Delivered,
    /// Read, or listened to.
    Read,
    /// Not sent; the description says why.
    Failed,
    /// The receiver has no account.
    NoAccount,
    /// The account is not a member of the group.
    NotInGroup,
    /// Sending is stopped because of a warning on the account.
    YellowCard,
    /// Sending is stopped for a time.
    Suspended,
    /// The 24 hours after the receiver's last message are over, in which WABA may write to him.
    NoActiveSession,
    /// A status that is in no document.
    #[serde(untagged)]
    Unknown(Text<'a>),
}

impl OutgoingMessageStatus<'_> {
    /// The name of the status; `None` where it is missing or blank, which says nothing.
    #[must_use]
    pub fn status_name(&self) -> Option<&str> {
        said(self.status.as_ref()?.name())
    }
}

impl DeliveryStatus<'_> {
    /// Its name as GREEN-API's documents spell it.
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
