//! What an operator must hear of.
//!
//! Source: document 003, section 1.3.13, "Отслеживание состояние инстанса", and its standard errors.

use super::message::{MessageContent, MessageReceived};
use super::{Notification, State};

/// Markers that stand where a text or the address of a file should be.
const MARKERS: [(&str, &str); 4] = [
    ("{{SWE001}}", "SWE001"),
    ("{{SWE002}}", "SWE002"),
    ("{{SWE003}}", "SWE003"),
    ("{{SWE999}}", "SWE999"),
];

impl Notification<'_> {
    /// The marker or the state that an operator must hear of, if it has one.
    #[must_use]
    pub fn concern(&self) -> Option<&'static str> {
        match self {
            Self::IncomingMessageReceived(message)
            | Self::OutgoingMessageReceived(message)
            | Self::OutgoingApiMessageReceived(message) => marker(message),
            Self::OutgoingMessageStatus(status) => {
                let description = status.description.as_deref().unwrap_or_default();
                description.contains("SWE004").then_some("SWE004")
            }
            Self::StateInstanceChanged(change) => match change.state_instance {
                State::NotAuthorized => Some("notAuthorized"),
                State::Blocked => Some("blocked"),
                State::YellowCard => Some("yellowCard"),
                State::Suspended => Some("suspended"),
                _ => None,
            },
            _ => None,
        }
    }
}

fn marker(message: &MessageReceived<'_>) -> Option<&'static str> {
    let value = match &message.message_data.as_ref()?.content {
        MessageContent::TextMessage(text) => text.text_message_data.text_message.as_deref(),
        MessageContent::ImageMessage(file)
        | MessageContent::VideoMessage(file)
        | MessageContent::DocumentMessage(file)
        | MessageContent::AudioMessage(file)
        | MessageContent::StickerMessage(file) => file.file_message_data.download_url.as_deref(),
        _ => None,
    };
    MARKERS
        .iter()
        .find(|(marker, _)| value == Some(marker))
        .map(|(_, name)| *name)
}
