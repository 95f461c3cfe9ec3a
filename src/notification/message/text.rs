//! Text messages: plain, with a link, or in the old form of a quote.

use serde::Deserialize;

use crate::notification::scalar::{Id, Integer, Text};

/// `textMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct TextMessage<'a> {
    /// The text. A story has it under a different key.
    #[serde(alias = "statusTextMessageData")]
    pub text_message_data: TextMessageData<'a>,
}

/// A plain text.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct TextMessageData<'a> {
    /// The text, or a marker such as `{{SWE001}}` if the messenger provided none. A story has it under
    /// `text`.
    #[serde(alias = "text")]
    pub text_message: Option<Text<'a>>,
    /// Whether the message was created from a template.
    pub is_template_message: Option<bool>,
}

/// `extendedTextMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ExtendedTextMessage<'a> {
    /// The text and its link. A story has them under a different key.
    #[serde(alias = "statusExtendedTextMessageData")]
    pub extended_text_message_data: ExtendedText<'a>,
}

/// `quotedMessage` as a message type: the old form of a quote.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct QuotedTextMessage<'a> {
    /// The text and the message that it replies to.
    pub extended_text_message_data: ExtendedText<'a>,
}

/// A text with a link preview. The fields from `contains_auto_reply` on are set for advertisements.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ExtendedText<'a> {
    /// The text.
    pub text: Option<Text<'a>>,
    /// Description of the linked page.
    pub description: Option<Text<'a>>,
    /// Title of the linked page.
    pub title: Option<Text<'a>>,
    /// Base64-encoded preview.
    pub jpeg_thumbnail: Option<Text<'a>>,
    /// Whether the message was forwarded.
    pub is_forwarded: Option<bool>,
    /// How many times the message was forwarded.
    pub forwarding_score: Option<Integer>,
    /// Kind of preview.
    pub preview_type: Option<Text<'a>>,
    /// Identifier of the quoted message, in the old form of a quote.
    pub stanza_id: Option<Id<'a>>,
    /// Author of the quoted message.
    pub participant: Option<Id<'a>>,
    /// Whether the advertisement replies automatically.
    pub contains_auto_reply: Option<bool>,
    /// Media type of the advertisement.
    pub media_type: Option<Text<'a>>,
    /// Whether the message should be shown as an advertisement.
    pub show_ad_attribution: Option<bool>,
    /// Identifier of the advertisement.
    pub source_id: Option<Id<'a>>,
    /// Kind of source, for example `ad`.
    pub source_type: Option<Text<'a>>,
    /// URL of the advertisement.
    pub source_url: Option<Text<'a>>,
    /// URL of its preview.
    pub thumbnail_url: Option<Text<'a>>,
    /// Where the advertisement was shown.
    pub conversion_source: Option<Text<'a>>,
    /// Application from which the advertisement was opened.
    pub entry_point_conversion_app: Option<Text<'a>>,
}
