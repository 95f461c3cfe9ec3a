//! `stateInstanceChanged` and `statusInstanceChanged`: the authorization and the socket of an
//! account.

use serde::Deserialize;

use super::scalar::{Integer, Text};
use super::{InstanceData, said};

/// The authorization of the account changed.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct StateInstanceChanged<'a> {
    /// The account.
    pub instance_data: InstanceData<'a>,
    /// When it happened, in seconds since 1970.
    pub timestamp: Option<Integer>,
    /// The state that it is in now.
    pub state_instance: Option<State<'a>>,
}

/// The states of an account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    bound(deserialize = "'de: 'a"),
    rename_all = "camelCase",
    expecting = "expected a string"
)]
pub enum State<'a> {
    /// Nobody is logged in: an operator must scan the QR code.
    NotAuthorized,
    /// It works.
    Authorized,
    /// Banned by the messenger.
    Blocked,
    /// The phone is off (no longer sent).
    SleepMode,
    /// Restarting, up to five minutes.
    Starting,
    /// Sending is stopped, fully or in part, because of a warning.
    YellowCard,
    /// Limited for a time (MAX).
    Suspended,
    /// Waits for the code (Telegram).
    PendingCode,
    /// Waits for the password (Telegram).
    PendingPassword,
    /// A state that is in no document.
    #[serde(untagged)]
    Unknown(Text<'a>),
}

/// The socket of the account opened or closed.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct StatusInstanceChanged<'a> {
    /// The account.
    pub instance_data: InstanceData<'a>,
    /// When it happened, in seconds since 1970.
    pub timestamp: Option<Integer>,
    /// The socket now.
    pub status_instance: Option<Socket<'a>>,
}

/// Whether the account can send and receive.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    bound(deserialize = "'de: 'a"),
    rename_all = "camelCase",
    expecting = "expected a string"
)]
pub enum Socket<'a> {
    /// It can. One example spells it `onLine`.
    #[serde(alias = "onLine")]
    Online,
    /// It cannot.
    #[serde(alias = "offLine")]
    Offline,
    /// A value that is in no document.
    #[serde(untagged)]
    Unknown(Text<'a>),
}

impl StateInstanceChanged<'_> {
    /// The name of the state; `None` where it is missing or blank, which says nothing.
    #[must_use]
    pub fn state_name(&self) -> Option<&str> {
        said(self.state_instance.as_ref()?.name())
    }
}

impl StatusInstanceChanged<'_> {
    /// The name of the socket's state; `None` where it is missing or blank, which says nothing.
    #[must_use]
    pub fn socket_name(&self) -> Option<&str> {
        said(self.status_instance.as_ref()?.name())
    }
}

impl State<'_> {
    /// Its name as GREEN-API's documents spell it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::NotAuthorized => "notAuthorized",
            Self::Authorized => "authorized",
            Self::Blocked => "blocked",
            Self::SleepMode => "sleepMode",
            Self::Starting => "starting",
            Self::YellowCard => "yellowCard",
            Self::Suspended => "suspended",
            Self::PendingCode => "pendingCode",
            Self::PendingPassword => "pendingPassword",
            Self::Unknown(name) => name,
        }
    }
}

impl Socket<'_> {
    /// Its name as GREEN-API's documents spell it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Unknown(name) => name,
        }
    }
}
