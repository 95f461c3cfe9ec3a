//! The message that another one quotes, with its payload under keys of its own.

use serde::Deserialize;

use super::contact::Contact;
use super::location::Location;
use super::poll::Poll;
use super::text::ExtendedText;
use crate::notification::scalar::{Id, Text};

/// `quotedMessage`: what is quoted, or what is reacted to.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct QuotedMessage<'a> {
    /// The quoted message.
    pub stanza_id: Option<Id<'a>>,
    /// Who wrote it.
    pub participant: Option<Id<'a>>,
    /// What type it is.
    pub type_message: Option<Text<'a>>,
    /// Its text.
    pub text_message: Option<Text<'a>>,
    /// Where its file is.
    pub download_url: Option<Text<'a>>,
    /// Text under its file.
    pub caption: Option<Text<'a>>,
    /// Name of its file.
    pub file_name: Option<Text<'a>>,
    /// Preview in base64.
    pub jpeg_thumbnail: Option<Text<'a>>,
    /// Its contact.
    pub contact: Option<Contact<'a>>,
    /// Its place.
    pub location: Option<Location<'a>>,
    /// Its link.
    pub extended_text_message: Option<ExtendedText<'a>>,
    /// Its poll.
    pub poll_message_data: Option<Poll<'a>>,
}
