//! What became of a sent message: which of its statuses stands.

use crate::notification::DeliveryStatus;

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
