//! Conditions in a notification that need an operator's attention.
//!
//! Source: GREEN-API docs, Webhook endpoint > Tracking the instance state, including its standard errors.

use super::message::{ExtendedText, FileData, MessageContent, MessageReceived};
use super::{CallStatus, DeliveryStatus, Notification, Socket, State};

/// Error markers that GREEN-API sends in place of a text or file URL.
const MARKERS: [(&str, &str); 4] = [
    ("{{SWE001}}", "SWE001"),
    ("{{SWE002}}", "SWE002"),
    ("{{SWE003}}", "SWE003"),
    ("{{SWE999}}", "SWE999"),
];

/// Marker of a group that is too large. It appears in a text or in a status description, followed by the
/// size of the group.
const LARGE_GROUP: &str = "SWE004";

/// Marker of a message that arrived empty. A blank text gets this marker too, because the operator has to
/// take the same action.
const EMPTY: &str = "SWE001";

impl Notification<'_> {
    /// The marker of the message, or of the message that a status refers to, if any.
    #[must_use]
    pub fn marker(&self) -> Option<&'static str> {
        match self {
            Self::IncomingMessageReceived(message)
            | Self::OutgoingMessageReceived(message)
            | Self::OutgoingApiMessageReceived(message) => of_message(message),
            Self::OutgoingMessageStatus(status) => {
                let description = status.description.as_deref().unwrap_or_default();
                description.contains(LARGE_GROUP).then_some(LARGE_GROUP)
            }
            _ => None,
        }
    }

    /// The condition that needs an operator's attention, if any: a marker, a failure, an account state, an
    /// exceeded quota, or an undocumented status or state.
    #[must_use]
    pub fn alert(&self) -> Option<&'static str> {
        self.marker().or_else(|| match self {
            Self::OutgoingMessageStatus(status) => match status.status.as_ref()? {
                DeliveryStatus::Sent | DeliveryStatus::Delivered | DeliveryStatus::Read => None,
                DeliveryStatus::Failed => Some("failed"),
                DeliveryStatus::NoAccount => Some("noAccount"),
                DeliveryStatus::NotInGroup => Some("notInGroup"),
                DeliveryStatus::YellowCard => Some("yellowCard"),
                DeliveryStatus::Suspended => Some("suspended"),
                DeliveryStatus::NoActiveSession => Some("noActiveSession"),
                DeliveryStatus::Unknown(_) => status.status_name().map(|_| "unknownStatus"),
            },
            Self::StateInstanceChanged(change) => match change.state_instance.as_ref()? {
                State::NotAuthorized => Some("notAuthorized"),
                State::Blocked => Some("blocked"),
                State::YellowCard => Some("yellowCard"),
                State::Suspended => Some("suspended"),
                State::Starting => Some("starting"),
                State::Unknown(_) => change.state_name().map(|_| "unknownState"),
                State::Authorized
                | State::SleepMode
                | State::PendingCode
                | State::PendingPassword => None,
            },
            Self::StatusInstanceChanged(change) => match change.status_instance.as_ref()? {
                Socket::Unknown(_) => change.socket_name().map(|_| "unknownState"),
                Socket::Online | Socket::Offline => None,
            },
            Self::IncomingCall(call) | Self::OutgoingCall(call) => match call.status.as_ref()? {
                CallStatus::Unknown(_) => call.status_name().map(|_| "unknownStatus"),
                _ => None,
            },
            Self::QuotaExceeded(_) => Some("quotaExceeded"),
            _ => None,
        })
    }
}

fn of_message(message: &MessageReceived<'_>) -> Option<&'static str> {
    match &message.message_data.as_ref()?.content {
        MessageContent::TextMessage(text) => {
            of_text(text.text_message_data.text_message.as_deref())
        }
        MessageContent::ExtendedTextMessage(text) => of_extended(&text.extended_text_message_data),
        MessageContent::QuotedMessage(text) => of_extended(&text.extended_text_message_data),
        MessageContent::ImageMessage(file)
        | MessageContent::VideoMessage(file)
        | MessageContent::DocumentMessage(file)
        | MessageContent::AudioMessage(file)
        | MessageContent::StickerMessage(file) => of_file(&file.file_message_data),
        _ => None,
    }
}

fn of_extended(text: &ExtendedText<'_>) -> Option<&'static str> {
    let preview = [&text.title, &text.description, &text.source_url];
    let has_text = |part: &Option<super::scalar::Text<'_>>| {
        part.as_deref().is_some_and(|part| !part.trim().is_empty())
    };
    match text.text.as_deref() {
        None | Some("") if preview.into_iter().any(has_text) => None,
        text => of_text(text),
    }
}

fn of_text(text: Option<&str>) -> Option<&'static str> {
    let text = text.unwrap_or_default().trim();
    if text.is_empty() {
        return Some(EMPTY);
    }
    let marker = text.strip_prefix("{{");
    if marker.is_some_and(|marker| marker.starts_with(LARGE_GROUP)) {
        return Some(LARGE_GROUP);
    }
    known(text)
}

fn of_file(file: &FileData<'_>) -> Option<&'static str> {
    known(file.download_url.as_deref()?.trim())
}

fn known(text: &str) -> Option<&'static str> {
    let mut markers = MARKERS.into_iter();
    markers
        .find(|(marker, _)| text == *marker)
        .map(|(_, name)| name)
}
