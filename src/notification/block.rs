//! `incomingBlock`: a chat was blocked.

use serde::Deserialize;

use super::InstanceData;
use super::scalar::{Id, Integer, Text};

/// A chat was blocked.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct IncomingBlock<'a> {
    /// The account.
    pub instance_data: InstanceData<'a>,
    /// When it happened, in seconds since 1970.
    pub timestamp: Option<Integer>,
    /// The chat.
    pub chat_id: Option<Id<'a>>,
    /// What it is now.
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
    /// It is.
    Blocked,
    /// A value that is in no document.
    #[serde(untagged)]
    Unknown(Text<'a>),
}
