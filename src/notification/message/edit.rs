//! Edits and deletions. Each has its own `idMessage` and refers to the message that it changes in
//! `stanzaId`.

use serde::Deserialize;

use crate::notification::scalar::{Id, Text};

/// `editedMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct EditedMessage<'a> {
    /// The edit.
    pub edited_message_data: Edited<'a>,
}

/// New content of an edited message.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Edited<'a> {
    /// Identifier of the message that was edited.
    pub stanza_id: Option<Id<'a>>,
    /// New text.
    pub text_message: Option<Text<'a>>,
    /// New caption, if the message is a file.
    pub caption: Option<Text<'a>>,
}

/// `deletedMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct DeletedMessage<'a> {
    /// The deletion.
    pub deleted_message_data: Deleted<'a>,
}

/// A deleted message.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Deleted<'a> {
    /// Identifier of the message that was deleted.
    pub stanza_id: Option<Id<'a>>,
    /// Type of the deleted message.
    pub type_message: Option<Text<'a>>,
}
