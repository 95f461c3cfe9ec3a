//! Polls and their votes. A vote notification covers only its own voter, and the latest one counts.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::chat_identity::{PrivateKind, canonical_chat, differ_in_kind};
use super::mention::{Role, mentions, nonempty};
use super::moment::Moment;
use super::parsed::{data, notification};
use crate::notification::message::{Poll as Question, PollUpdate};
use crate::notification::{MessageContent, Parsed};

/// The vote of one person, or of several people if one notification names several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PollVote)]
#[serde(rename_all = "camelCase")]
pub struct Vote {
    /// Sequence number of the event.
    pub seq: i64,
    /// Timestamp from the notification, Unix seconds.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// Sender of the notification.
    #[schema(required)]
    pub sender: Option<String>,
    /// Every answer of the poll, each listing those voters of this vote who chose it.
    pub votes: Vec<VoteOption>,
}

/// A poll answer and those voters of one vote who chose it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PollAnswer)]
#[serde(rename_all = "camelCase")]
pub struct VoteOption {
    /// Text of the answer.
    #[schema(required)]
    pub option: Option<String>,
    /// Voters who chose it.
    pub voters: Vec<String>,
}

/// A poll with its totals: the latest vote of each voter counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Poll {
    /// The question.
    #[schema(required)]
    pub name: Option<String>,
    /// Whether a voter may choose more than one answer.
    #[schema(required)]
    pub multiple_answers: Option<bool>,
    /// The answers in the order of the poll, followed by answers that appear only in votes.
    pub options: Vec<PollOption>,
    /// Number of people whose vote counts.
    pub voters: usize,
}

/// A poll answer with its total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PollOption {
    /// Text of the answer.
    pub option: String,
    /// Number of people who chose it.
    pub total: usize,
    /// Voters who chose it.
    pub voters: Vec<String>,
}

/// One vote notification.
struct Ballot<'p> {
    seq: i64,
    timestamp: Option<i64>,
    sender: Option<&'p str>,
    update: &'p PollUpdate<'p>,
    multiple_answers: Option<bool>,
    /// Voters, each under that person's canonical name.
    voters: BTreeSet<String>,
}

/// All vote notifications of a poll in time order, and the poll itself.
pub(super) struct Ballots<'p> {
    question: Option<&'p Question<'p>>,
    all: Vec<Ballot<'p>>,
    names: Names,
}

/// Maps a person's other names to the canonical name under which that person's votes are counted.
struct Names(BTreeMap<String, String>);

impl<'p> Ballots<'p> {
    /// Collects the votes in the poll `id_message` from events in time order.
    pub(super) fn of(id_message: &str, events: &'p [(Moment, Parsed<'_>)]) -> Self {
        let (mut question, mut ballots) = (None, Vec::new());
        for (at, parsed) in events {
            let Some(notification) = notification(parsed) else {
                continue;
            };
            let role = mentions(notification).find(|found| found.id_message == Some(id_message));
            match (
                role.map(|found| found.role),
                data(notification).map(|data| &data.content),
            ) {
                (Some(Role::Content), Some(MessageContent::PollMessage(poll))) => {
                    question = Some(fuller(question, &poll.poll_message_data));
                }
                (Some(Role::Vote), Some(MessageContent::PollUpdateMessage(vote))) => {
                    let update = &vote.poll_message_data;
                    ballots.push(Ballot {
                        seq: at.seq,
                        timestamp: parsed.columns.timestamp,
                        sender: parsed.columns.sender.as_deref(),
                        update,
                        multiple_answers: update.multiple_answers.or(vote.multiple_answers),
                        voters: BTreeSet::new(),
                    });
                }
                _ => {}
            }
        }
        let names = Names::of(&ballots);
        for ballot in &mut ballots {
            let mut voters: BTreeSet<_> = named(ballot.update)
                .map(|voter| names.of_person(voter))
                .collect();
            if voters.is_empty() {
                // A withdrawn vote names no voters.
                voters.extend(ballot.sender.map(|sender| names.of_person(sender)));
            }
            ballot.voters = voters;
        }
        Self {
            question,
            all: ballots,
            names,
        }
    }

    /// Index of each voter's latest vote, unless that vote was withdrawn.
    fn latest(&self) -> BTreeMap<&str, usize> {
        let mut latest = BTreeMap::new();
        for (index, ballot) in self.all.iter().enumerate() {
            for voter in &ballot.voters {
                latest.insert(voter.as_str(), index);
            }
        }
        latest.retain(|_, index| named(self.all[*index].update).next().is_some());
        latest
    }

    /// The latest vote of each voter in time order.
    pub(super) fn votes(&self) -> Vec<Vote> {
        let latest = self.latest();
        let indices: BTreeSet<_> = latest.values().copied().collect();
        let vote = |index: usize| {
            let ballot = &self.all[index];
            let counts = |voter: &str| latest.get(voter) == Some(&index);
            Vote {
                seq: ballot.seq,
                timestamp: ballot.timestamp,
                sender: ballot.sender.map(str::to_owned),
                votes: (ballot.update.votes.iter().flatten())
                    .map(|vote| VoteOption {
                        option: vote.option_name.as_deref().map(str::to_owned),
                        voters: (vote.option_voters.iter().flatten())
                            .filter_map(|voter| nonempty(Some(voter)))
                            .map(|voter| self.names.of_person(voter))
                            .filter(|voter| counts(voter))
                            .collect(),
                    })
                    .collect(),
            }
        };
        indices.into_iter().map(vote).collect()
    }

    /// The poll with its totals; `None` if the message is not a poll.
    pub(super) fn poll(&self) -> Option<Poll> {
        if self.question.is_none() && self.all.is_empty() {
            return None;
        }
        let newest_first = || self.all.iter().rev();
        let mut options: Vec<(String, BTreeSet<String>)> = Vec::new();
        let offered = self
            .question
            .into_iter()
            .flat_map(|poll| poll.options.iter().flatten());
        for option in offered.filter_map(|option| nonempty(option.option_name.as_deref())) {
            index_of(&mut options, option);
        }
        for ballot in &self.all {
            for vote in ballot.update.votes.iter().flatten() {
                if let Some(option) = nonempty(vote.option_name.as_deref()) {
                    index_of(&mut options, option);
                }
            }
        }
        let votes = self.votes();
        for vote in votes.iter().flat_map(|vote| &vote.votes) {
            if let Some(option) = nonempty(vote.option.as_deref()) {
                let at = index_of(&mut options, option);
                options[at].1.extend(vote.voters.iter().cloned());
            }
        }
        Some(Poll {
            name: (self.question)
                .and_then(|poll| nonempty(poll.name.as_deref()))
                .or_else(|| newest_first().find_map(|one| nonempty(one.update.name.as_deref())))
                .map(str::to_owned),
            multiple_answers: (self.question)
                .and_then(|poll| poll.multiple_answers)
                .or_else(|| newest_first().find_map(|one| one.multiple_answers)),
            options: (options.into_iter())
                .map(|(option, voters)| PollOption {
                    option,
                    total: voters.len(),
                    voters: voters.into_iter().collect(),
                })
                .collect(),
            voters: self.latest().len(),
        })
    }
}

/// The version of a poll with more answers; on a tie, the earlier one.
fn fuller<'p>(known: Option<&'p Question<'p>>, other: &'p Question<'p>) -> &'p Question<'p> {
    let answers = |poll: &Question<'_>| poll.options.as_ref().map_or(0, Vec::len);
    known
        .filter(|known| answers(known) >= answers(other))
        .unwrap_or(other)
}

/// Index of an answer in `options`. Appends the answer if it is new.
fn index_of(options: &mut Vec<(String, BTreeSet<String>)>, option: &str) -> usize {
    let found = options.iter().position(|(known, _)| known == option);
    found.unwrap_or_else(|| {
        options.push((option.to_owned(), BTreeSet::new()));
        options.len() - 1
    })
}

/// The voters that a notification names.
fn named<'p>(update: &'p PollUpdate<'_>) -> impl Iterator<Item = &'p str> {
    let votes = update.votes.iter().flatten();
    votes
        .flat_map(|vote| vote.option_voters.iter().flatten())
        .filter_map(|voter| nonempty(Some(voter)))
}

impl Names {
    /// A sender whose votes name exactly one voter by the other kind of identifier (`@lid` or `@c.us`) is
    /// that voter. A sender whose votes name several is not matched with anyone.
    fn of(ballots: &[Ballot<'_>]) -> Self {
        let mut voters_of = BTreeMap::<String, BTreeSet<String>>::new();
        for ballot in ballots {
            let Some(sender) = ballot.sender.map(canonical_chat) else {
                continue;
            };
            let voters: BTreeSet<_> = named(ballot.update).map(canonical_chat).collect();
            if let [voter] = voters.iter().collect::<Vec<_>>()[..] {
                let known = voters_of.entry(sender.into_owned()).or_default();
                known.insert(Cow::clone(voter).into_owned());
            }
        }
        let mut names = BTreeMap::new();
        for (sender, voters) in &voters_of {
            let mut others = voters.iter().filter(|voter| differ_in_kind(sender, voter));
            let (Some(voter), None) = (others.next(), others.next()) else {
                continue;
            };
            // If the two name each other, or the sender also names itself, the phone number is canonical.
            let is_named = voters.contains(sender)
                || (voters_of.get(voter)).is_some_and(|others| others.contains(sender));
            if is_named && PrivateKind::of(sender) == Some(PrivateKind::Phone) {
                names.insert(voter.clone(), sender.clone());
            } else {
                names.insert(sender.clone(), voter.clone());
            }
        }
        Self(names)
    }

    fn of_person(&self, name: &str) -> String {
        let name = canonical_chat(name);
        let known = self.0.get(name.as_ref());
        known.cloned().unwrap_or_else(|| name.into_owned())
    }
}
