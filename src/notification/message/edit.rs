//! Edits and deletions. Each has an `idMessage` of its own and names in `stanzaId` the message that
//! it changes.

use serde::Deserialize;

use crate::notification::scalar::{Id, Text};

/// `editedMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct EditedMessage<'a> {
    /// The edit.
    pub edited_message_data: Edited<'a>,
}

/// What a message says now.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Edited<'a> {
    /// The message that was edited.
    pub stanza_id: Option<Id<'a>>,
    /// Its text now.
    pub text_message: Option<Text<'a>>,
    /// Its caption now, where it is a file.
    pub caption: Option<Text<'a>>,
}

/// `deletedMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct DeletedMessage<'a> {
    /// The deletion.
    pub deleted_message_data: Deleted<'a>,
}

/// A message that is gone.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Deleted<'a> {
    /// The message that was deleted.
    pub stanza_id: Option<Id<'a>>,
    /// What type it was.
    pub type_message: Option<Text<'a>>,
}
