//! `incomingCall` and `outgoingCall`.

use serde::Deserialize;

use super::InstanceData;
use super::scalar::{Id, Integer, Text};

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
    /// Who called.
    pub from: Option<Id<'a>>,
    /// What became of the call.
    pub status: CallStatus<'a>,
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
    /// The account; the public page of outgoing calls writes `id`.
    #[serde(alias = "id")]
    pub wid: Option<Id<'a>>,
    /// What became of the call for this account.
    pub status: Option<CallStatus<'a>>,
}

impl CallStatus<'_> {
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
