//! The parts of a parsed body that the model reads.

use crate::notification::{MessageData, MessageReceived, Notification, Outcome, Parsed};

/// The notification, unless the body is malformed.
pub(super) fn notification<'p, 'a>(parsed: &'p Parsed<'a>) -> Option<&'p Notification<'a>> {
    match &parsed.outcome {
        Outcome::Known(notification) | Outcome::Unknown(notification) => Some(notification),
        Outcome::Malformed(_) => None,
    }
}

/// The message of a notification about one.
pub(super) fn received<'n, 'a>(
    notification: &'n Notification<'a>,
) -> Option<&'n MessageReceived<'a>> {
    match notification {
        Notification::IncomingMessageReceived(message)
        | Notification::OutgoingMessageReceived(message)
        | Notification::OutgoingApiMessageReceived(message) => Some(message),
        _ => None,
    }
}

/// The `messageData` of a notification about a message.
pub(super) fn data<'n, 'a>(notification: &'n Notification<'a>) -> Option<&'n MessageData<'a>> {
    received(notification)?.message_data.as_ref()
}
