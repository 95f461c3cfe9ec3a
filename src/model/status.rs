//! Delivery statuses of a sent message: which of them is current.

use crate::notification::DeliveryStatus;

/// Rank of a status: sent (1), delivered (2), read (3), in whichever order they arrive. Every other
/// status is 0; the latest of those is current until one of the three arrives.
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
