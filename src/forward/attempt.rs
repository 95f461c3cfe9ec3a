//! How an attempt to deliver an event ended.

use std::time::Duration;

/// The end of one attempt.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The destination has the event.
    Delivered,
    /// It did not take the event, or it is not known whether it did.
    Failed(Failure),
    /// It answered 410 and wants no more events.
    Disabled(Failure),
    /// The event is deleted.
    Gone,
    /// The event is damaged on disk, so it cannot be sent.
    Damaged,
    /// The event could not be read now.
    Unread,
}

/// Why a destination did not take an event.
#[derive(Debug, Default)]
pub(super) struct Failure {
    /// What went wrong. It quotes nothing of the response.
    pub(super) problem: String,
    /// Whether there was a response.
    pub(super) has_answered: bool,
    /// Whether the response says that there are too many requests.
    pub(super) is_overloaded: bool,
    /// How long the destination asks to wait.
    pub(super) retry_after: Option<Duration>,
}
