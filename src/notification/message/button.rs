//! Buttons and the button that was pressed.

use serde::Deserialize;

use crate::notification::scalar::{Id, Integer, Text};

/// `buttonsMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ButtonsMessage<'a> {
    /// The buttons.
    #[serde(alias = "ButtonsMessage")]
    pub buttons_message: Buttons<'a>,
}

/// A text with buttons.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Buttons<'a> {
    /// The text.
    pub content_text: Option<Text<'a>>,
    /// The footer.
    pub footer: Option<Text<'a>>,
    /// The buttons.
    pub buttons: Option<Vec<Button<'a>>>,
    /// Whether the message was forwarded.
    pub is_forwarded: Option<bool>,
    /// How many times the message was forwarded.
    pub forwarding_score: Option<Integer>,
}

/// A button.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Button<'a> {
    /// Its identifier.
    pub button_id: Option<Id<'a>>,
    /// Text on the button.
    pub button_text: Option<Text<'a>>,
}

/// `buttonsResponseMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ButtonsResponseMessage<'a> {
    /// The button that was pressed.
    #[serde(alias = "ButtonsResponseMessage")]
    pub buttons_response_message: ButtonsResponse<'a>,
}

/// A button that was pressed.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ButtonsResponse<'a> {
    /// Identifier of the message with the buttons.
    pub stanza_id: Option<Id<'a>>,
    /// Identifier of the button.
    pub selected_button_id: Option<Id<'a>>,
    /// Text on the button.
    pub selected_button_text: Option<Text<'a>>,
}
