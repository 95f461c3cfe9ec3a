//! Buttons that copy a text, call a number, open a link or send a reply, and the button that was pressed.

use serde::Deserialize;
use serde::de::{self, Deserializer};

use crate::notification::scalar::{Id, Integer, Text};

/// `interactiveButtons`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct InteractiveButtons<'a> {
    /// The buttons.
    pub interactive_buttons: Interactive<'a>,
}

/// A text with buttons.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Interactive<'a> {
    /// The title.
    #[serde(alias = "header")]
    pub title_text: Option<Text<'a>>,
    /// The text.
    #[serde(alias = "body")]
    pub content_text: Option<Text<'a>>,
    /// The footer.
    #[serde(alias = "footer")]
    pub footer_text: Option<Text<'a>>,
    /// The buttons.
    pub buttons: Option<Vec<InteractiveButton<'a>>>,
}

/// A button.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct InteractiveButton<'a> {
    /// `copy`, `call`, `url` or `reply`.
    #[serde(rename = "type")]
    pub kind: Option<Text<'a>>,
    /// Its identifier.
    pub button_id: Option<Id<'a>>,
    /// Text on the button.
    pub button_text: Option<Text<'a>>,
    /// Text that the button copies.
    pub copy_code: Option<Id<'a>>,
    /// Phone number that the button calls.
    pub phone_number: Option<Id<'a>>,
    /// URL that the button opens.
    pub url: Option<Text<'a>>,
}

/// `interactiveButtonsReply`. GREEN-API's public pages disagree on the key of its content, so every key
/// that they use is accepted.
#[derive(Debug)]
pub struct InteractiveButtonsReply<'a> {
    /// The reply buttons, or the one that was pressed.
    pub reply: InteractiveReply<'a>,
}

/// Reply buttons, or the one of them that was pressed.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct InteractiveReply<'a> {
    /// The title.
    #[serde(alias = "header")]
    pub title_text: Option<Text<'a>>,
    /// The text.
    #[serde(alias = "body")]
    pub content_text: Option<Text<'a>>,
    /// The footer.
    #[serde(alias = "footer")]
    pub footer_text: Option<Text<'a>>,
    /// The buttons.
    pub buttons: Option<Vec<InteractiveButton<'a>>>,
    /// Identifier of the message with the buttons, if one was pressed.
    pub stanza_id: Option<Id<'a>>,
    /// Index of the pressed button in its row.
    pub selected_index: Option<Integer>,
    /// Identifier of the pressed button.
    pub selected_id: Option<Id<'a>>,
    /// Text on the pressed button.
    pub selected_display_text: Option<Text<'a>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for InteractiveButtonsReply<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
        struct Keys<'a> {
            #[serde(alias = "interactiveButtonReply")]
            interactive_buttons_reply: Option<InteractiveReply<'a>>,
            interactive_buttons: Option<InteractiveReply<'a>>,
            template_button_reply_message: Option<InteractiveReply<'a>>,
        }

        let keys = Keys::deserialize(deserializer)?;
        keys.interactive_buttons_reply
            .or(keys.interactive_buttons)
            .or(keys.template_button_reply_message)
            .map(|reply| Self { reply })
            .ok_or_else(|| de::Error::missing_field("interactiveButtonsReply"))
    }
}

/// `interactiveButtonsResponse`: the customer's response.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct InteractiveButtonsResponse<'a> {
    /// The button that was pressed.
    pub interactive_buttons_response: InteractiveResponse<'a>,
}

/// A button that a customer pressed.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct InteractiveResponse<'a> {
    /// Identifier of the message with the buttons.
    pub stanza_id: Option<Id<'a>>,
    /// Index of the button in its row.
    pub selected_index: Option<Integer>,
    /// Identifier of the button.
    #[serde(alias = "selectedButtonId")]
    pub selected_id: Option<Id<'a>>,
    /// Text on the button.
    #[serde(alias = "selectedButtonText")]
    pub selected_display_text: Option<Text<'a>>,
}
