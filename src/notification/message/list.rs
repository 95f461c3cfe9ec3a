//! Lists to choose from, and the row that was chosen.

use serde::Deserialize;

use crate::notification::scalar::{Id, Integer, Text, WrappedId};

/// `listMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ListMessage<'a> {
    /// The list.
    #[serde(alias = "ListMessage")]
    pub list_message: List<'a>,
}

/// A text with a list to choose from.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct List<'a> {
    /// The text.
    pub content_text: Option<Text<'a>>,
    /// The title.
    pub title: Option<Text<'a>>,
    /// The footer.
    pub footer: Option<Text<'a>>,
    /// Text on the button that opens the list.
    pub button_text: Option<Text<'a>>,
    /// The sections of the list.
    pub sections: Option<Vec<ListSection<'a>>>,
    /// Whether the message was forwarded.
    pub is_forwarded: Option<bool>,
    /// How many times the message was forwarded.
    pub forwarding_score: Option<Integer>,
}

/// A section of a list.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ListSection<'a> {
    /// Its title.
    pub title: Option<Text<'a>>,
    /// The rows to choose from.
    pub rows: Option<Vec<ListRow<'a>>>,
}

/// A row of a list.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ListRow<'a> {
    /// Text of the row.
    pub title: Option<Text<'a>>,
    /// Its identifier.
    pub row_id: Option<Id<'a>>,
    /// Description of the row.
    pub description: Option<Text<'a>>,
}

/// `listResponseMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ListResponseMessage<'a> {
    /// The row that was chosen.
    #[serde(alias = "ListResponseMessage")]
    pub list_response_message: ListResponse<'a>,
}

/// The row that was chosen from a list.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ListResponse<'a> {
    /// Identifier of the message with the list.
    pub stanza_id: Option<Id<'a>>,
    /// Text of the row.
    pub title: Option<Text<'a>>,
    /// Kind of list; 1 means single choice.
    pub list_type: Option<Id<'a>>,
    /// Identifier of the row.
    pub single_select_reply: Option<WrappedId<'a>>,
}
