//! History of a message: statuses, edits, deletions, reactions and votes.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::chat_identity::canonical_chat;
use super::content::Content;
use super::mention::{Role, edited, mentions, nonempty};
use super::moment::{Moment, in_time_order};
use super::parsed::{notification, received};
use super::poll::{Ballots, Poll, Vote};
use crate::notification::{Notification, Parsed};

/// History of a message; each list is in time order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MessageHistory)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Delivery status changes.
    pub statuses: Vec<StatusChange>,
    /// Edits with the new text or caption.
    pub edits: Vec<Edit>,
    /// Deletions.
    pub deletions: Vec<Deletion>,
    /// The latest reaction of each sender; withdrawn reactions are omitted.
    pub reactions: Vec<Reaction>,
    /// If the message is a poll, the latest vote of each voter; withdrawn votes are omitted.
    pub votes: Vec<Vote>,
    /// The poll with its totals. Null if the message is not a poll, and if the history has more than one
    /// page, because one page does not contain every vote.
    #[schema(required)]
    pub poll: Option<Poll>,
}

/// A change of a message's delivery status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusChange {
    /// Sequence number of the event.
    pub seq: i64,
    /// Timestamp from the notification, Unix seconds.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// The new status.
    pub status: String,
    /// Reason for a failure.
    #[schema(required)]
    pub description: Option<String>,
}

/// An edit of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MessageEdit)]
#[serde(rename_all = "camelCase")]
pub struct Edit {
    /// Sequence number of the event.
    pub seq: i64,
    /// Timestamp from the notification, Unix seconds.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// The edit's own `idMessage`.
    #[schema(required)]
    pub id_message: Option<String>,
    /// Text after the edit.
    #[schema(required)]
    pub text: Option<String>,
    /// Caption after the edit.
    #[schema(required)]
    pub caption: Option<String>,
}

/// A deletion of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MessageDeletion)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    /// Sequence number of the event.
    pub seq: i64,
    /// Timestamp from the notification, Unix seconds.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// The deletion's own `idMessage`.
    #[schema(required)]
    pub id_message: Option<String>,
}

/// A reaction to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MessageReaction)]
#[serde(rename_all = "camelCase")]
pub struct Reaction {
    /// Sequence number of the event.
    pub seq: i64,
    /// Timestamp from the notification, Unix seconds.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// Who reacted.
    #[schema(required)]
    pub sender: Option<String>,
    /// The emoji.
    pub reaction: String,
}

impl History {
    /// Adds one event that mentions the message `id_message`.
    fn take(&mut self, id_message: &str, at: Moment, parsed: &Parsed<'_>) {
        let Some(notification) = notification(parsed) else {
            return;
        };
        let Some(mention) =
            mentions(notification).find(|found| found.id_message == Some(id_message))
        else {
            return;
        };
        let columns = &parsed.columns;
        let (seq, timestamp) = (at.seq, columns.timestamp);
        let own_id = || columns.id_message.as_deref().map(str::to_owned);
        let sender = || columns.sender.as_deref().map(str::to_owned);
        match (mention.role, notification) {
            (Role::Status, Notification::OutgoingMessageStatus(status)) => {
                let name = notification.status_name().map(str::to_owned);
                self.statuses.extend(name.map(|name| StatusChange {
                    seq,
                    timestamp,
                    status: name,
                    description: nonempty(status.description.as_deref()).map(str::to_owned),
                }));
            }
            (Role::Edit, _) => {
                let (text, caption) = received(notification).and_then(edited).unwrap_or_default();
                self.edits.push(Edit {
                    seq,
                    timestamp,
                    id_message: own_id(),
                    text: text.map(str::to_owned),
                    caption: caption.map(str::to_owned),
                });
            }
            (Role::Deletion, _) => self.deletions.push(Deletion {
                seq,
                timestamp,
                id_message: own_id(),
            }),
            (Role::Reaction, _) => self.reactions.push(Reaction {
                seq,
                timestamp,
                sender: sender(),
                reaction: Content::of(notification)
                    .text
                    .unwrap_or_default()
                    .to_owned(),
            }),
            _ => {}
        }
    }

    /// Builds the history of the message `id_message` from events that mention it, in any order.
    /// `is_complete` states that there are no further events.
    pub fn of<'e>(
        id_message: &str,
        events: impl IntoIterator<Item = (i64, i64, &'e [u8])>,
        is_complete: bool,
    ) -> Self {
        let events = in_time_order(events);
        let mut history = Self::default();
        for (at, parsed) in &events {
            history.take(id_message, *at, parsed);
        }
        history.reactions = last_of_each(std::mem::take(&mut history.reactions));
        let ballots = Ballots::of(id_message, &events);
        history.votes = ballots.votes();
        history.poll = ballots.poll().filter(|_| is_complete);
        history
    }
}

/// The latest reaction of each sender in time order. Empty reactions are withdrawn and left out.
fn last_of_each(reactions: Vec<Reaction>) -> Vec<Reaction> {
    let mut last = BTreeMap::new();
    for (index, reaction) in reactions.into_iter().enumerate() {
        let sender = reaction.sender.as_deref();
        let sender = sender.map(|sender| canonical_chat(sender).into_owned());
        last.insert(sender, (index, reaction));
    }
    let mut last: Vec<_> = last
        .into_values()
        .filter(|(_, reaction)| !reaction.reaction.is_empty())
        .collect();
    last.sort_by_key(|(index, _)| *index);
    last.into_iter().map(|(_, reaction)| reaction).collect()
}
