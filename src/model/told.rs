//! What a destination was told about an alert.

use super::AlertKey;
use crate::clock::UnixMillis;

/// What a destination was told last about an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The alert.
    pub key: AlertKey,
    /// The alert's own `since`, which tells this time from an earlier one.
    pub since: UnixMillis,
    /// When the destination was told.
    pub at: UnixMillis,
    /// Whether it was told that the alert has ended.
    pub is_resolved: bool,
}
