//! `incomingCall` and `outgoingCall`.

use serde::Deserialize;

use super::scalar::{Id, Integer, Text};
use super::{InstanceData, nonblank};

/// A call. Its offer and its outcome share one `idMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Call<'a> {
    /// Instance that sent the notification.
    pub instance_data: InstanceData<'a>,
    /// When it happened, Unix seconds.
    pub timestamp: Option<Integer>,
    /// Identifier of the call.
    pub id_message: Option<Id<'a>>,
    /// The caller; for an outgoing call, the chat that was called.
    pub from: Option<Id<'a>>,
    /// Status of the call.
    pub status: Option<CallStatus<'a>>,
    /// Whether it is a video call.
    pub is_video: Option<bool>,
    /// Duration in seconds.
    pub duration: Option<Integer>,
    /// Participants of a group call.
    pub participants: Option<Vec<Participant<'a>>>,
}

/// Status of a call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    bound(deserialize = "'de: 'a"),
    rename_all = "camelCase",
    expecting = "expected a string"
)]
pub enum CallStatus<'a> {
    /// The call is ringing.
    Offer,
    /// Answered.
    PickUp,
    /// Rejected by the callee. Outgoing calls spell it `hungUp`.
    #[serde(alias = "hungUp")]
    HangUp,
    /// Ended by the caller before anyone answered.
    Missed,
    /// Not answered in time.
    Declined,
    /// The call could not be made.
    Invalid,
    /// An undocumented status.
    #[serde(untagged)]
    Unknown(Text<'a>),
}

/// A participant of a group call.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Participant<'a> {
    /// Identifier of the participant.
    pub wid: Option<Id<'a>>,
    /// The same identifier, under the key that the public page on outgoing calls uses.
    pub id: Option<Id<'a>>,
    /// Status of the call for this participant.
    pub status: Option<CallStatus<'a>>,
}

impl Call<'_> {
    /// The name of the status; `None` if it is missing or blank.
    #[must_use]
    pub fn status_name(&self) -> Option<&str> {
        nonblank(self.status.as_ref()?.name())
    }
}

impl Participant<'_> {
    /// The participant's identifier, under whichever key it is present.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        let ids = [self.wid.as_deref(), self.id.as_deref()];
        ids.into_iter().flatten().find(|id| !id.is_empty())
    }
}

impl CallStatus<'_> {
    /// Normalizes a status name: outgoing calls spell `hangUp` as `hungUp`.
    #[must_use]
    pub fn usual_name(name: &str) -> &str {
        if name == "hungUp" {
            CallStatus::HangUp.name()
        } else {
            name
        }
    }

    /// Its name as GREEN-API's docs spell it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Offer => "offer",
            Self::PickUp => "pickUp",
            Self::HangUp => "hangUp",
            Self::Missed => "missed",
            Self::Declined => "declined",
            Self::Invalid => "invalid",
            Self::Unknown(name) => name,
        }
    }
}
