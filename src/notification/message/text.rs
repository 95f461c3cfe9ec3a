//! Text: plain, with a link, or as the old form of a quote.

use serde::Deserialize;

use crate::notification::scalar::{Id, Integer, Text};

/// `textMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct TextMessage<'a> {
    /// The text. That of a story has a key of its own.
    #[serde(alias = "statusTextMessageData")]
    pub text_message_data: TextMessageData<'a>,
}

/// A plain text.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct TextMessageData<'a> {
    /// The text, or a marker such as `{{SWE001}}` where the messenger gave none. That of a story is
    /// under `text`.
    #[serde(alias = "text")]
    pub text_message: Option<Text<'a>>,
    /// Whether it was made from a template.
    pub is_template_message: Option<bool>,
}

/// `extendedTextMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ExtendedTextMessage<'a> {
    /// The text and its link. That of a story has a key of its own.
    #[serde(alias = "statusExtendedTextMessageData")]
    pub extended_text_message_data: ExtendedText<'a>,
}

/// `quotedMessage` as a type of its own: the old form of a quote.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct QuotedTextMessage<'a> {
    /// The text and the message that it answers.
    pub extended_text_message_data: ExtendedText<'a>,
}

/// A text with a preview of its link; an advertisement fills the fields from
/// `contains_auto_reply` on.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ExtendedText<'a> {
    /// The text.
    pub text: Option<Text<'a>>,
    /// What the linked page says of itself.
    pub description: Option<Text<'a>>,
    /// Title of the linked page.
    pub title: Option<Text<'a>>,
    /// Preview in base64.
    pub jpeg_thumbnail: Option<Text<'a>>,
    /// Whether it was forwarded.
    pub is_forwarded: Option<bool>,
    /// How often it was forwarded.
    pub forwarding_score: Option<Integer>,
    /// Kind of preview.
    pub preview_type: Option<Text<'a>>,
    /// The quoted message, in the old form of a quote.
    pub stanza_id: Option<Id<'a>>,
    /// Who wrote the quoted message.
    pub participant: Option<Id<'a>>,
    /// Whether the advertisement answers by itself.
    pub contains_auto_reply: Option<bool>,
    /// Kind of media of the advertisement.
    pub media_type: Option<Text<'a>>,
    /// Whether it is to be shown as an advertisement.
    pub show_ad_attribution: Option<bool>,
    /// The advertisement.
    pub source_id: Option<Id<'a>>,
    /// Kind of source, as `ad`.
    pub source_type: Option<Text<'a>>,
    /// Where the advertisement is.
    pub source_url: Option<Text<'a>>,
    /// Where its preview is.
    pub thumbnail_url: Option<Text<'a>>,
    /// Place where the advertisement was shown.
    pub conversion_source: Option<Text<'a>>,
    /// Application that it was opened from.
    pub entry_point_conversion_app: Option<Text<'a>>,
}
