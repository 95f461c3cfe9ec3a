//! What was done to a message: statuses, edits, deletions, reactions, votes.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::chat_identity::canonical_chat;
use super::content::Content;
use super::mention::{Role, edited, mentions, nonempty};
use super::message::{notification, received};
use super::moment::{Moment, in_time_order};
use super::poll::{Ballots, Poll, Vote};
use crate::notification::{Notification, Parsed};

/// What was done to a message, each in time order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MessageHistory)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// How far it came.
    pub statuses: Vec<StatusChange>,
    /// What it said from when on.
    pub edits: Vec<Edit>,
    /// When it was deleted.
    pub deletions: Vec<Deletion>,
    /// The last reaction of each who has not taken it back.
    pub reactions: Vec<Reaction>,
    /// The latest vote of each voter in the poll that it is, without the votes that were taken back.
    pub votes: Vec<Vote>,
    /// The poll that it is, with its totals. Null where it is none, and where the history has more than
    /// one page: a page alone does not have all votes.
    #[schema(required)]
    pub poll: Option<Poll>,
}

/// A step of a message on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusChange {
    /// The event.
    pub seq: i64,
    /// GREEN-API's own timestamp, seconds since 1970.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// The status.
    pub status: String,
    /// Why it failed.
    #[schema(required)]
    pub description: Option<String>,
}

/// An edit of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MessageEdit)]
#[serde(rename_all = "camelCase")]
pub struct Edit {
    /// The event.
    pub seq: i64,
    /// GREEN-API's own timestamp, seconds since 1970.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// The message that the edit came as.
    #[schema(required)]
    pub id_message: Option<String>,
    /// The text from then on.
    #[schema(required)]
    pub text: Option<String>,
    /// The caption from then on.
    #[schema(required)]
    pub caption: Option<String>,
}

/// A deletion of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MessageDeletion)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    /// The event.
    pub seq: i64,
    /// GREEN-API's own timestamp, seconds since 1970.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// The message that the deletion came as.
    #[schema(required)]
    pub id_message: Option<String>,
}

/// A reaction to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MessageReaction)]
#[serde(rename_all = "camelCase")]
pub struct Reaction {
    /// The event.
    pub seq: i64,
    /// GREEN-API's own timestamp, seconds since 1970.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// Who reacted.
    #[schema(required)]
    pub sender: Option<String>,
    /// The emoji.
    pub reaction: String,
}

impl History {
    /// Takes one event that speaks of the message `id_message`.
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

    /// The history of the message `id_message` from events that speak of it, in whatever order.
    /// `is_whole`: there are no others.
    pub fn of<'e>(
        id_message: &str,
        events: impl IntoIterator<Item = (i64, i64, &'e [u8])>,
        is_whole: bool,
    ) -> Self {
        let events = in_time_order(events);
        let mut history = Self::default();
        for (at, parsed) in &events {
            history.take(id_message, *at, parsed);
        }
        history.reactions = last_of_each(std::mem::take(&mut history.reactions));
        let ballots = Ballots::of(id_message, &events);
        history.votes = ballots.votes();
        history.poll = ballots.poll().filter(|_| is_whole);
        history
    }
}

/// The last reaction of each sender, where it is not empty, in time order.
fn last_of_each(reactions: Vec<Reaction>) -> Vec<Reaction> {
    let mut last = BTreeMap::new();
    for (place, reaction) in reactions.into_iter().enumerate() {
        let sender = reaction.sender.as_deref();
        let sender = sender.map(|sender| canonical_chat(sender).into_owned());
        last.insert(sender, (place, reaction));
    }
    let mut last: Vec<_> = last
        .into_values()
        .filter(|(_, reaction)| !reaction.reaction.is_empty())
        .collect();
    last.sort_by_key(|(place, _)| *place);
    last.into_iter().map(|(_, reaction)| reaction).collect()
}
