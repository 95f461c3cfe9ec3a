//! Polls and votes.

use serde::Deserialize;

use crate::notification::scalar::{Id, Text};

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
    /// The votes.
    pub poll_message_data: PollUpdate<'a>,
    /// Whether more than one may be chosen, where it stands beside the votes.
    pub multiple_answers: Option<bool>,
}

/// All votes of a poll so far.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct PollUpdate<'a> {
    /// The message with the poll.
    pub stanza_id: Option<Id<'a>>,
    /// The question.
    pub name: Option<Text<'a>>,
    /// The votes by answer.
    pub votes: Option<Vec<PollVote<'a>>>,
    /// Whether more than one may be chosen.
    pub multiple_answers: Option<bool>,
}

/// Who chose an answer.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct PollVote<'a> {
    /// The answer.
    pub option_name: Option<Text<'a>>,
    /// Who chose it.
    pub option_voters: Option<Vec<Id<'a>>>,
}
