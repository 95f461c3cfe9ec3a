//! The account that a notification comes from.

use serde::Deserialize;

use super::scalar::{Integer, Text};

/// `instanceData`: the one object that every notification has.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct InstanceData<'a> {
    /// The number of the instance.
    pub id_instance: Integer,
    /// The account; empty or missing before it is authorized.
    pub wid: Option<Text<'a>>,
    /// `whatsapp`, `v3` (MAX) or `telegram`.
    pub type_instance: Option<Text<'a>>,
}

impl InstanceData<'_> {
    /// Whether the account is one of MAX, whose messages may come without `messageData`.
    pub(super) fn is_max(&self) -> bool {
        self.type_instance.as_deref() == Some("v3")
    }

    /// Whether the account may be one of MAX, because it says of no other product line that it is.
    pub(super) fn may_be_max(&self) -> bool {
        !matches!(self.type_instance.as_deref(), Some("whatsapp" | "telegram"))
    }
}
