//! `incomingCall` and `outgoingCall`.

use serde::Deserialize;

use super::scalar::{Id, Integer, Text};
use super::{InstanceData, said};

/// A call; its offer and its outcome share one `idMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Call<'a> {
    /// The account.
    pub instance_data: InstanceData<'a>,
    /// When it happened, in seconds since 1970.
    pub timestamp: Option<Integer>,
    /// The call.
    pub id_message: Option<Id<'a>>,
    /// Who called; of a call from the account, the chat that was called.
    pub from: Option<Id<'a>>,
    /// What became of the call.
    pub status: Option<CallStatus<'a>>,
    /// Whether it is a video call.
    pub is_video: Option<bool>,
    /// How long it took, in seconds.
    pub duration: Option<Integer>,
    /// Who took part, in a group call.
    pub participants: Option<Vec<Participant<'a>>>,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    bound(deserialize = "'de: 'a"),
    rename_all = "camelCase",
    expecting = "expected a string"
)]
pub enum CallStatus<'a> {
    /// It rings.
    Offer,
    /// Answered.
    PickUp,
    /// Refused by the one who was called. Outgoing calls spell it `hungUp`.
    #[serde(alias = "hungUp")]
    HangUp,
    /// Ended by the caller before it was answered.
    Missed,
    /// Not answered in time.
    Declined,
    /// Could not be made.
    Invalid,
    /// A status that is in no document.
    #[serde(untagged)]
    Unknown(Text<'a>),
}

/// One who took part in a call.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Participant<'a> {
    /// The account.
    pub wid: Option<Id<'a>>,
    /// The same, as the public page of outgoing calls writes it.
    pub id: Option<Id<'a>>,
    /// What became of the call for this account.
    pub status: Option<CallStatus<'a>>,
}

impl Call<'_> {
    /// The name of the status; `None` where it is missing or blank, which says nothing.
    #[must_use]
    pub fn status_name(&self) -> Option<&str> {
        said(self.status.as_ref()?.name())
    }
}

impl Participant<'_> {
    /// The account, under whichever key it stands.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        let ids = [self.wid.as_deref(), self.id.as_deref()];
        ids.into_iter().flatten().find(|id| !id.is_empty())
    }
}

impl CallStatus<'_> {
    /// The name of a status that may be spelled as outgoing calls spell it.
    #[must_use]
    pub fn usual_name(name: &str) -> &str {
        if name == "hungUp" {
            CallStatus::HangUp.name()
        } else {
            name
        }
    }

    /// Its name as GREEN-API's documents spell it.
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
