//! `stateInstanceChanged` and `statusInstanceChanged`: the authorization and the socket of an
//! account.

use serde::Deserialize;

use super::scalar::{Integer, Text};
use super::{InstanceData, nonblank};

/// The authorization of the account changed.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct StateInstanceChanged<'a> {
    /// Instance that sent the notification.
    pub instance_data: InstanceData<'a>,
    /// When it happened, Unix seconds.
    pub timestamp: Option<Integer>,
    /// The new state.
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
    /// Logged in and working.
    Authorized,
    /// Banned by the messenger.
    Blocked,
    /// The phone is off (no longer sent).
    SleepMode,
    /// Restarting, which takes up to five minutes.
    Starting,
    /// Sending is fully or partly suspended because of a warning.
    YellowCard,
    /// Temporarily restricted (MAX).
    Suspended,
    /// Waiting for the login code (Telegram).
    PendingCode,
    /// Waiting for the password (Telegram).
    PendingPassword,
    /// An undocumented state.
    #[serde(untagged)]
    Unknown(Text<'a>),
}

/// The socket of the account opened or closed.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct StatusInstanceChanged<'a> {
    /// Instance that sent the notification.
    pub instance_data: InstanceData<'a>,
    /// When it happened, Unix seconds.
    pub timestamp: Option<Integer>,
    /// The new socket state.
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
    /// The account can. One of GREEN-API's examples spells it `onLine`.
    #[serde(alias = "onLine")]
    Online,
    /// The account cannot.
    #[serde(alias = "offLine")]
    Offline,
    /// An undocumented value.
    #[serde(untagged)]
    Unknown(Text<'a>),
}

impl StateInstanceChanged<'_> {
    /// The name of the state; `None` if it is missing or blank.
    #[must_use]
    pub fn state_name(&self) -> Option<&str> {
        nonblank(self.state_instance.as_ref()?.name())
    }
}

impl StatusInstanceChanged<'_> {
    /// The name of the socket's state; `None` if it is missing or blank.
    #[must_use]
    pub fn socket_name(&self) -> Option<&str> {
        nonblank(self.status_instance.as_ref()?.name())
    }
}

impl State<'_> {
    /// Its name as GREEN-API's docs spell it.
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
    /// Its name as GREEN-API's docs spell it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Unknown(name) => name,
        }
    }
}
