//! Which events a destination gets.

use std::collections::HashSet;

use crate::config::{Forward as Settings, ForwardedDirection, ForwardedOutcome};
use crate::model::{Direction, Event, OutcomeKind, canonical_chat};

/// The filters of a destination. An empty list means no filter.
#[derive(Debug)]
pub(super) struct Filter {
    types: HashSet<String>,
    instances: HashSet<i64>,
    chats: HashSet<String>,
    outcomes: Vec<OutcomeKind>,
    direction: Vec<&'static str>,
}

impl Filter {
    pub(super) fn new(settings: &Settings) -> Self {
        let chats = settings.chats.iter();
        Self {
            types: settings.types.iter().cloned().collect(),
            instances: settings.instances.iter().copied().collect(),
            chats: chats
                .map(|chat| canonical_chat(chat).into_owned())
                .collect(),
            outcomes: settings
                .outcomes
                .iter()
                .map(|outcome| kind(*outcome))
                .collect(),
            direction: settings
                .direction
                .iter()
                .map(|way| type_webhook(*way))
                .collect(),
        }
    }

    /// Whether the destination gets the event.
    pub(super) fn matches(&self, event: &Event) -> bool {
        let type_webhook = event.type_webhook.as_deref();
        let chat = event.chat_id.as_deref().map(canonical_chat);
        (self.types.is_empty() || type_webhook.is_some_and(|name| self.types.contains(name)))
            && (self.instances.is_empty()
                || event
                    .id_instance
                    .is_some_and(|id| self.instances.contains(&id)))
            && (self.chats.is_empty() || chat.is_some_and(|chat| self.chats.contains(&*chat)))
            && (self.outcomes.is_empty() || self.outcomes.contains(&event.outcome))
            && (self.direction.is_empty()
                || type_webhook.is_some_and(|name| self.direction.contains(&name)))
    }
}

const fn kind(outcome: ForwardedOutcome) -> OutcomeKind {
    match outcome {
        ForwardedOutcome::Known => OutcomeKind::Known,
        ForwardedOutcome::Unknown => OutcomeKind::Unknown,
        ForwardedOutcome::Malformed => OutcomeKind::Malformed,
    }
}

const fn type_webhook(direction: ForwardedDirection) -> &'static str {
    match direction {
        ForwardedDirection::Incoming => Direction::Incoming.type_webhook(),
        ForwardedDirection::OutgoingPhone => Direction::OutgoingPhone.type_webhook(),
        ForwardedDirection::OutgoingApi => Direction::OutgoingApi.type_webhook(),
    }
}
