//! Which notifications an instance was to send: its switches decide.

use crate::green_api::{Entry, Journal, Settings};

/// Whether anything of a journal was to come as a notification.
pub(super) fn is_journal_expected(settings: &Settings, journal: Journal) -> bool {
    let is_on = |name| settings.is_on(name) == Some(true);
    match journal {
        Journal::IncomingMessages => is_on("incomingWebhook"),
        Journal::OutgoingMessages => {
            is_on("outgoingMessageWebhook")
                || is_on("outgoingAPIMessageWebhook")
                || are_statuses_expected(settings)
        }
        Journal::IncomingCalls => is_on("incomingWebhook") && is_on("incomingCallWebhook"),
        Journal::OutgoingCalls => is_on("outgoingCallWebhook"),
    }
}

/// Whether statuses of sent messages were to come.
pub(super) fn are_statuses_expected(settings: &Settings) -> bool {
    settings.is_on("outgoingWebhook") == Some(true)
}

/// Whether the notification of this entry was to come.
pub(super) fn is_expected(settings: &Settings, journal: Journal, entry: &Entry) -> bool {
    let is_on = |name| settings.is_on(name) == Some(true);
    let is_by_direction = match journal {
        Journal::OutgoingMessages if is_pending(entry) => false,
        Journal::OutgoingMessages if entry.is_true("sendByApi") => {
            is_on("outgoingAPIMessageWebhook")
        }
        Journal::OutgoingMessages => is_on("outgoingMessageWebhook"),
        Journal::IncomingMessages | Journal::IncomingCalls | Journal::OutgoingCalls => {
            is_journal_expected(settings, journal)
        }
    };
    let kind = entry.text("typeMessage").unwrap_or_default();
    let is_by_kind = match &*kind.to_ascii_lowercase() {
        "pollmessage" | "pollupdatemessage" => is_on("pollMessageWebhook"),
        "editedmessage" => settings.is_on("editedMessageWebhook") != Some(false),
        "deletedmessage" => settings.is_on("deletedMessageWebhook") != Some(false),
        _ => true,
    };
    is_by_direction && is_by_kind
}

/// Whether a message waits in GREEN-API's send queue: it was not sent yet.
fn is_pending(entry: &Entry) -> bool {
    entry.text("statusMessage").as_deref() == Some("pending")
}
