//! Sends a test to each configured destination.

use super::destination::Destination;
use super::failure::Failure;
use super::notice::Notice;
use crate::clock::UnixMillis;

/// Sends a test to a destination.
///
/// # Errors
///
/// The destination did not take it.
pub async fn send_test(destination: &Destination, now: UnixMillis) -> Result<(), Failure> {
    destination.send(&[Notice::test(now)], now).await
}
