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
    /// Whether a voter may choose more than one answer.
    pub multiple_answers: Option<bool>,
}

/// An answer of a poll.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct PollOption<'a> {
    /// Text of the answer.
    pub option_name: Option<Text<'a>>,
}

/// `pollUpdateMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct PollUpdateMessage<'a> {
    /// The vote.
    pub poll_message_data: PollUpdate<'a>,
    /// Whether a voter may choose more than one answer, if the key is next to the vote and not inside it.
    pub multiple_answers: Option<bool>,
}

/// The vote of one voter: all answers of the poll, where the answers that the voter chose list that voter.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct PollUpdate<'a> {
    /// Identifier of the message with the poll.
    pub stanza_id: Option<Id<'a>>,
    /// The question.
    pub name: Option<Text<'a>>,
    /// The answers.
    pub votes: Option<Vec<PollVote<'a>>>,
    /// Whether a voter may choose more than one answer.
    pub multiple_answers: Option<bool>,
}

/// An answer and the voters who chose it.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct PollVote<'a> {
    /// Text of the answer.
    pub option_name: Option<Text<'a>>,
    /// Voters who chose it.
    pub option_voters: Option<Vec<WrappedId<'a>>>,
}
