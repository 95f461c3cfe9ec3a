//! Polls and votes.

use serde::Deserialize;

use crate::notification::scalar::{Id, Text, WrappedId};

/// `pollMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct PollMessage<'a> {
    /// The poll.
    pub poll_message_data: Poll<'a>,
}

/// A question with answers to choose from.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Poll<'a> {
    /// The question.
    pub name: Option<Text<'a>>,
    /// The answers.
    pub options: Option<Vec<PollOption<'a>>>,
    /// Whether more than one may be chosen.
    pub multiple_answers: Option<bool>,
}

/// An answer of a poll.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct PollOption<'a> {
    /// What it says.
    pub option_name: Option<Text<'a>>,
}

/// `pollUpdateMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct PollUpdateMessage<'a> {
    /// The vote.
    pub poll_message_data: PollUpdate<'a>,
    /// Whether more than one may be chosen, where it stands beside the vote.
    pub multiple_answers: Option<bool>,
}

/// The answers of a poll, with whoever the notification speaks of among the voters of those that he
/// chose. One notification has the vote of one voter.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct PollUpdate<'a> {
    /// The message with the poll.
    pub stanza_id: Option<Id<'a>>,
    /// The question.
    pub name: Option<Text<'a>>,
    /// The answers.
    pub votes: Option<Vec<PollVote<'a>>>,
    /// Whether more than one may be chosen.
    pub multiple_answers: Option<bool>,
}

/// An answer and who chose it.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct PollVote<'a> {
    /// The answer.
    pub option_name: Option<Text<'a>>,
    /// Who chose it.
    pub option_voters: Option<Vec<WrappedId<'a>>>,
}
