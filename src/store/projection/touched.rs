//! What the events that are being forgotten touch in the projection.

use std::collections::BTreeSet;

use super::find::Identity;
use super::row::Row;
use super::term::{TermKind, pair};
use crate::model::{Content, Role, canonical_chat, mentions};
use crate::notification::Notification;

/// The identity of a message or a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OwnedIdentity {
    is_call: bool,
    id_instance: i64,
    id_message: String,
}

impl OwnedIdentity {
    pub(super) fn new(is_call: bool, id_instance: i64, id_message: &str) -> Self {
        Self {
            is_call,
            id_instance,
            id_message: id_message.to_owned(),
        }
    }

    pub(super) fn identity(&self) -> Identity<'_> {
        Identity::new(self.is_call, self.id_instance, &self.id_message)
    }
}

/// What the forgotten events of one slice touch.
#[derive(Default)]
pub(super) struct Touched {
    /// Messages and calls that they mention.
    pub(super) identities: BTreeSet<OwnedIdentity>,
    /// Events that may be the only one of an entity without an identity.
    pub(super) lone: Vec<i64>,
    /// Messages that they quote.
    pub(super) quoted: BTreeSet<OwnedIdentity>,
    /// Chats of one person, as single events show it: account, chat and sender.
    pub(super) pairs: BTreeSet<(i64, String, String)>,
    /// Chats that lose a message: account and term.
    pub(super) chats: BTreeSet<(i64, i64)>,
    /// The values that they have as terms.
    pub(super) values: BTreeSet<(TermKind, String)>,
    /// Further terms that may have lost their last event.
    pub(super) terms: BTreeSet<i64>,
}

impl Touched {
    /// Adds the terms of the columns of an event, as [`post_columns`](super::projector::Projector::post_columns)
    /// posts them, in every form of the chat.
    pub(super) fn add_columns(&mut self, row: &Row) {
        let columns = &row.columns;
        let mut add = |kind, value: &str| {
            self.values.insert((kind, value.to_owned()));
        };
        if let Some(id) = columns.id_instance {
            add(TermKind::Instance, &id.to_string());
            add(TermKind::Call, &id.to_string());
            let name = columns.type_webhook.as_deref();
            if let Some(pair) = name.and_then(|name| pair(id, name)) {
                add(TermKind::InstanceType, &pair);
            }
        }
        for (kind, value) in [
            (TermKind::TypeWebhook, columns.type_webhook.as_deref()),
            (TermKind::TypeMessage, columns.type_message.as_deref()),
            (TermKind::Outcome, Some(columns.outcome.name())),
            (TermKind::Drift, row.has_drift.then_some("")),
            (TermKind::Call, Some("")),
        ] {
            if let Some(value) = value {
                add(kind, value);
            }
        }
        // The sender of a call is posted as its chat.
        for chat in [&columns.chat_id, &columns.sender].into_iter().flatten() {
            add(TermKind::Chat, chat);
            add(TermKind::Chat, &canonical_chat(chat));
        }
    }

    /// Adds what a parsed event says of messages, calls and chats.
    pub(super) fn add(&mut self, row: &Row, notification: &Notification<'_>) {
        let columns = &row.columns;
        let Some(id_instance) = columns.id_instance else {
            return;
        };
        let chat = columns.chat_id.as_deref().map(canonical_chat);
        if let Some(chat) = &chat {
            if let Some(sender) = columns.sender.as_deref() {
                let pair = (
                    id_instance,
                    chat.to_string(),
                    canonical_chat(sender).into_owned(),
                );
                self.pairs.insert(pair);
            }
            if let Some(quoted) = Content::of(notification).quoted {
                self.quoted
                    .insert(OwnedIdentity::new(false, id_instance, quoted));
            }
        }
        for mention in mentions(notification) {
            let is_call = mention.role == Role::Call;
            let is_known = is_call || chat.is_some() || mention.role == Role::Status;
            match mention.id_message {
                Some(id) if is_known => {
                    self.identities
                        .insert(OwnedIdentity::new(is_call, id_instance, id));
                }
                _ => self.lone.push(row.seq),
            }
        }
    }
}
