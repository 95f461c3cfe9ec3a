//! Lists to choose from, and what was chosen.

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
    /// The text below.
    pub footer: Option<Text<'a>>,
    /// What the button says that opens the list.
    pub button_text: Option<Text<'a>>,
    /// The parts of the list.
    pub sections: Option<Vec<ListSection<'a>>>,
    /// Whether it was forwarded.
    pub is_forwarded: Option<bool>,
    /// How often it was forwarded.
    pub forwarding_score: Option<Integer>,
}

/// A part of a list.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ListSection<'a> {
    /// Its title.
    pub title: Option<Text<'a>>,
    /// What is to choose from.
    pub rows: Option<Vec<ListRow<'a>>>,
}

/// A line of a list.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ListRow<'a> {
    /// What it says.
    pub title: Option<Text<'a>>,
    /// Its identifier.
    pub row_id: Option<Id<'a>>,
    /// More about it.
    pub description: Option<Text<'a>>,
}

/// `listResponseMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ListResponseMessage<'a> {
    /// What was chosen.
    #[serde(alias = "ListResponseMessage")]
    pub list_response_message: ListResponse<'a>,
}

/// What was chosen from a list.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ListResponse<'a> {
    /// The message with the list.
    pub stanza_id: Option<Id<'a>>,
    /// What the line says.
    pub title: Option<Text<'a>>,
    /// Kind of list; 1 is a choice of one.
    pub list_type: Option<Id<'a>>,
    /// The line.
    pub single_select_reply: Option<WrappedId<'a>>,
}
