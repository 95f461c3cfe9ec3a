//! `incomingBlock`: a chat was blocked.

use serde::Deserialize;

use super::InstanceData;
use super::scalar::{Id, Integer, Text};

/// A chat was blocked.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct IncomingBlock<'a> {
    /// Instance that sent the notification.
    pub instance_data: InstanceData<'a>,
    /// When it happened, Unix seconds.
    pub timestamp: Option<Integer>,
    /// Identifier of the chat.
    pub chat_id: Option<Id<'a>>,
    /// New state of the chat.
    pub chat_state: Option<ChatState<'a>>,
}

/// Whether a chat is blocked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    bound(deserialize = "'de: 'a"),
    rename_all = "camelCase",
    expecting = "expected a string"
)]
pub enum ChatState<'a> {
    /// The chat is blocked.
    Blocked,
    /// An undocumented value.
    #[serde(untagged)]
    Unknown(Text<'a>),
}
