//! The message that another message quotes. Its payload is under its own set of keys.

use serde::Deserialize;

use super::contact::Contact;
use super::location::Location;
use super::poll::Poll;
use super::text::ExtendedText;
use crate::notification::scalar::{Id, Text};

/// `quotedMessage`: the message that is quoted or reacted to.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct QuotedMessage<'a> {
    /// Identifier of the quoted message.
    pub stanza_id: Option<Id<'a>>,
    /// Author of the quoted message.
    pub participant: Option<Id<'a>>,
    /// Type of the quoted message.
    pub type_message: Option<Text<'a>>,
    /// Its text.
    pub text_message: Option<Text<'a>>,
    /// Download URL of its file.
    pub download_url: Option<Text<'a>>,
    /// Caption of its file.
    pub caption: Option<Text<'a>>,
    /// Name of its file.
    pub file_name: Option<Text<'a>>,
    /// Base64-encoded preview.
    pub jpeg_thumbnail: Option<Text<'a>>,
    /// Its contact.
    pub contact: Option<Contact<'a>>,
    /// Its location.
    pub location: Option<Location<'a>>,
    /// Its text with a link.
    pub extended_text_message: Option<ExtendedText<'a>>,
    /// Its poll.
    pub poll_message_data: Option<Poll<'a>>,
}
