//! A call: its offer and what became of it.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use super::chat_identity::{PrivateKind, canonical_chat};
use super::mention::nonempty;
use super::message::notification;
use super::moment::{Moment, in_time_order};
use crate::notification::{Call as CallNotification, CallStatus, Notification};

/// A call as it is given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// The account.
    pub id_instance: i64,
    /// The call. Null where the notification names none: each such event is a call of its own.
    #[schema(required)]
    pub id_message: Option<String>,
    /// `incoming` or `outgoing`.
    pub direction: &'static str,
    /// Who called; of an outgoing call, the chat that was called. Where the events of one call name it
    /// differently, `@c.us` comes before all others and `@lid` after them.
    #[schema(required)]
    pub from: Option<String>,
    /// What became of it: `offer` while it rings, then `pickUp`, `hangUp`, `missed`, `declined` or `invalid`.
    pub status: String,
    /// Whether it was answered.
    pub answered: bool,
    /// Whether it is a video call.
    #[schema(required)]
    pub is_video: Option<bool>,
    /// How long it took, in seconds.
    #[schema(required)]
    pub duration: Option<i64>,
    /// Who took part, in a group call.
    #[schema(required)]
    pub participants: Option<Vec<CallParticipant>>,
    /// When it began to ring, seconds since 1970.
    #[schema(required)]
    pub offer_timestamp: Option<i64>,
    /// When it came to its status, seconds since 1970.
    #[schema(required)]
    pub status_timestamp: Option<i64>,
    /// What was told of it, in time order.
    pub events: Vec<CallEvent>,
    /// Its place in lists: the first event that speaks of it.
    pub seq: i64,
}

/// One who took part in a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallParticipant {
    /// The account.
    #[schema(required)]
    pub wid: Option<String>,
    /// What became of the call for this account.
    #[schema(required)]
    pub status: Option<String>,
}

/// What was told of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallEvent {
    /// The event.
    pub seq: i64,
    /// GREEN-API's own timestamp, seconds since 1970.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// What became of it.
    pub status: String,
}

impl Call {
    /// Puts a call together from the events (seq, arrival in milliseconds, body) that speak of it,
    /// in whatever order; `None` where there are none.
    pub fn of<'e>(
        seq: i64,
        (id_instance, id_message): (i64, Option<&str>),
        events: impl IntoIterator<Item = (i64, i64, &'e [u8])>,
    ) -> Option<Self> {
        let events = in_time_order(events);
        let told: Vec<_> = events
            .iter()
            .filter_map(|(at, parsed)| {
                let notification = notification(parsed)?;
                let (call, direction) = call(notification)?;
                Some(Told {
                    at: *at,
                    timestamp: parsed.columns.timestamp,
                    from: nonempty(call.from.as_deref()).map(canonical_chat),
                    status: notification.status_name()?,
                    direction,
                    call,
                })
            })
            .collect();
        // Of those that are equally far, the last.
        let outcome = told
            .iter()
            .max_by_key(|told| (call_rank(told.status), told.at))?;
        let newest_first = || told.iter().rev().map(|told| told.call);
        let is = |status: CallStatus<'static>| move |told: &&Told<'_>| told.status == status.name();
        Some(Self {
            id_instance,
            id_message: id_message.map(str::to_owned),
            direction: outcome.direction,
            from: told
                .iter()
                .filter_map(|told| told.from.as_deref())
                .min_by_key(|from| (preference(from), *from))
                .map(str::to_owned),
            status: outcome.status.to_owned(),
            answered: told.iter().any(|told| is(CallStatus::PickUp)(&told)),
            is_video: newest_first().find_map(|call| call.is_video),
            duration: newest_first().find_map(|call| call.duration).map(|n| n.0),
            participants: newest_first()
                .find_map(|call| call.participants.as_ref())
                .map(|all| all.iter().map(CallParticipant::of).collect()),
            offer_timestamp: told
                .iter()
                .find(is(CallStatus::Offer))
                .and_then(|told| told.timestamp),
            status_timestamp: outcome.timestamp,
            events: told.iter().map(CallEvent::of).collect(),
            seq,
        })
    }
}

/// What one event tells of a call.
struct Told<'p> {
    at: Moment,
    timestamp: Option<i64>,
    from: Option<Cow<'p, str>>,
    status: &'p str,
    direction: &'static str,
    call: &'p CallNotification<'p>,
}

impl CallEvent {
    fn of(told: &Told<'_>) -> Self {
        Self {
            seq: told.at.seq,
            timestamp: told.timestamp,
            status: told.status.to_owned(),
        }
    }
}

/// Which of several forms of one caller is shown: the smallest of these.
fn preference(from: &str) -> u8 {
    match PrivateKind::of(from) {
        Some(PrivateKind::Phone) => 0,
        None => 1,
        Some(PrivateKind::Lid) => 2,
    }
}

impl CallParticipant {
    fn of(participant: &crate::notification::Participant<'_>) -> Self {
        Self {
            wid: participant.account().map(str::to_owned),
            status: participant
                .status
                .as_ref()
                .map(|status| status.name().to_owned()),
        }
    }
}

/// How far a call of this status is: it rings (0), it is answered (1), it has ended (2). Of equally
/// far ones the last stands.
#[must_use]
pub fn call_rank(status: &str) -> u8 {
    if status == CallStatus::Offer.name() {
        0
    } else if status == CallStatus::PickUp.name() {
        1
    } else {
        2
    }
}

fn call<'n, 'a>(
    notification: &'n Notification<'a>,
) -> Option<(&'n CallNotification<'a>, &'static str)> {
    match notification {
        Notification::IncomingCall(call) => Some((call, "incoming")),
        Notification::OutgoingCall(call) => Some((call, "outgoing")),
        _ => None,
    }
}
