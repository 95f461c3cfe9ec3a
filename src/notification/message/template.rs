//! Templates with buttons, and the button that was pressed.

use serde::Deserialize;

use crate::notification::scalar::{Id, Integer, Text};

/// `templateMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct TemplateMessage<'a> {
    /// The template.
    #[serde(alias = "TemplateMessage")]
    pub template_message: Template<'a>,
}

/// A text with buttons.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Template<'a> {
    /// The text.
    pub content_text: Option<Text<'a>>,
    /// The footer.
    pub footer: Option<Text<'a>>,
    /// Namespace of the organization.
    pub namespace: Option<Text<'a>>,
    /// Name of the template.
    pub element_name: Option<Text<'a>>,
    /// The buttons.
    pub buttons: Option<Vec<TemplateButton<'a>>>,
    /// Whether the message was forwarded.
    pub is_forwarded: Option<bool>,
    /// How many times the message was forwarded.
    pub forwarding_score: Option<Integer>,
}

/// A button of a template: one of three kinds.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct TemplateButton<'a> {
    /// Index of the button in its row.
    pub index: Option<Integer>,
    /// Button that opens a link.
    pub url_button: Option<UrlButton<'a>>,
    /// Button that calls a number.
    pub call_button: Option<CallButton<'a>>,
    /// Button that sends a reply.
    pub quick_reply_button: Option<QuickReplyButton<'a>>,
}

/// A button that opens a link.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct UrlButton<'a> {
    /// Text on the button.
    pub display_text: Option<Text<'a>>,
    /// The link.
    pub url: Option<Text<'a>>,
}

/// A button that calls a number.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct CallButton<'a> {
    /// Text on the button.
    pub display_text: Option<Text<'a>>,
    /// The number.
    pub phone_number: Option<Id<'a>>,
}

/// A button that sends a reply.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct QuickReplyButton<'a> {
    /// Text on the button.
    pub display_text: Option<Text<'a>>,
    /// Its identifier.
    pub id: Option<Id<'a>>,
}

/// `templateButtonsReplyMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct TemplateButtonsReplyMessage<'a> {
    /// The button that was pressed.
    #[serde(alias = "templateButtonsReplyMessage")]
    pub template_button_reply_message: TemplateButtonsReply<'a>,
}

/// The template button that was pressed.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct TemplateButtonsReply<'a> {
    /// Identifier of the message with the buttons.
    pub stanza_id: Option<Id<'a>>,
    /// Index of the button in its row.
    pub selected_index: Option<Integer>,
    /// Identifier of the button.
    pub selected_id: Option<Id<'a>>,
    /// Text on the button.
    pub selected_display_text: Option<Text<'a>>,
}
