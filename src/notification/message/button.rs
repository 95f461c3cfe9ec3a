//! Buttons, and the one that was pressed.

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
    /// The text below.
    pub footer: Option<Text<'a>>,
    /// The buttons.
    pub buttons: Option<Vec<Button<'a>>>,
    /// Whether it was forwarded.
    pub is_forwarded: Option<bool>,
    /// How often it was forwarded.
    pub forwarding_score: Option<Integer>,
}

/// A button.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Button<'a> {
    /// Its identifier.
    pub button_id: Option<Id<'a>>,
    /// What it says.
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
    /// The message with the buttons.
    pub stanza_id: Option<Id<'a>>,
    /// The button.
    pub selected_button_id: Option<Id<'a>>,
    /// What it says.
    pub selected_button_text: Option<Text<'a>>,
}
