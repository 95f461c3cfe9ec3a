//! What a notification tells by a name: the status of a message or a call, the state and the socket of
//! an account. A name that is missing, empty or blank tells nothing.

use crate::notification::{DeliveryStatus, Notification};

/// How far a status is: sent, delivered and read go on in this order, whatever order they came in;
/// 0 is everything else, of which the last stands until one of the three comes.
#[must_use]
pub fn rank(status: &str) -> u8 {
    [
        DeliveryStatus::Sent,
        DeliveryStatus::Delivered,
        DeliveryStatus::Read,
    ]
    .iter()
    .zip(1..)
    .find(|(known, _)| known.name() == status)
    .map_or(0, |(_, rank)| rank)
}

/// The status of a message or a call.
#[must_use]
pub fn status_name<'n>(notification: &'n Notification<'_>) -> Option<&'n str> {
    match notification {
        Notification::OutgoingMessageStatus(status) => status.status_name(),
        Notification::IncomingCall(call) | Notification::OutgoingCall(call) => call.status_name(),
        _ => None,
    }
}

/// The state of an account.
#[must_use]
pub fn state_name<'n>(notification: &'n Notification<'_>) -> Option<&'n str> {
    match notification {
        Notification::StateInstanceChanged(change) => change.state_name(),
        _ => None,
    }
}

/// The socket of an account.
#[must_use]
pub fn socket_name<'n>(notification: &'n Notification<'_>) -> Option<&'n str> {
    match notification {
        Notification::StatusInstanceChanged(change) => change.socket_name(),
        _ => None,
    }
}
