//! The GREEN-API instance that a notification comes from.

use serde::Deserialize;

use super::scalar::{Integer, Text};

/// `instanceData`: the only object that every notification has.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct InstanceData<'a> {
    /// Instance number.
    pub id_instance: Integer,
    /// Messenger account; empty or missing before the instance is authorized.
    pub wid: Option<Text<'a>>,
    /// `whatsapp`, `v3` (MAX) or `telegram`.
    pub type_instance: Option<Text<'a>>,
}

impl InstanceData<'_> {
    /// Whether this is a MAX account, whose messages may lack `messageData`.
    pub(super) fn is_max(&self) -> bool {
        self.type_instance.as_deref() == Some("v3")
    }

    /// Whether this may be a MAX account: `typeInstance` names no other messenger.
    pub(super) fn may_be_max(&self) -> bool {
        !matches!(self.type_instance.as_deref(), Some("whatsapp" | "telegram"))
    }
}
