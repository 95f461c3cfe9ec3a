//! A call: its offer and what became of it.

use serde::Serialize;
use utoipa::ToSchema;

use super::message::notification;
use super::moment::in_time_order;
use crate::notification::{Call as CallNotification, CallStatus, Notification};

/// A call as it is given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// The account.
    pub id_instance: i64,
    /// The call.
    pub id_message: String,
    /// `incoming` or `outgoing`.
    pub direction: &'static str,
    /// Who called.
    pub from: String,
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
        (id_instance, from, id_message): (i64, &str, &str),
        events: impl IntoIterator<Item = (i64, i64, &'e [u8])>,
    ) -> Option<Self> {
        let events = in_time_order(events);
        let told: Vec<_> = events
            .iter()
            .filter_map(|(at, parsed)| {
                let (call, direction) = call(notification(parsed)?)?;
                Some((at, parsed.columns.timestamp, call, direction))
            })
            .collect();
        // Of those that are equally far, the last.
        let (_, status_timestamp, outcome, direction) =
            told.iter().max_by_key(|(at, _, call, _)| {
                (call_rank(call.status_name().unwrap_or_default()), **at)
            })?;
        let newest_first = || told.iter().rev().map(|(_, _, call, _)| call);
        Some(Self {
            id_instance,
            id_message: id_message.to_owned(),
            direction,
            from: from.to_owned(),
            status: outcome.status_name().unwrap_or_default().to_owned(),
            answered: newest_first().any(|call| call.status == Some(CallStatus::PickUp)),
            is_video: newest_first().find_map(|call| call.is_video),
            duration: newest_first().find_map(|call| call.duration).map(|n| n.0),
            participants: newest_first()
                .find_map(|call| call.participants.as_ref())
                .map(|all| all.iter().map(CallParticipant::of).collect()),
            offer_timestamp: told
                .iter()
                .find(|(_, _, call, _)| call.status == Some(CallStatus::Offer))
                .and_then(|(_, timestamp, _, _)| *timestamp),
            status_timestamp: *status_timestamp,
            events: told
                .iter()
                .map(|(at, timestamp, call, _)| CallEvent {
                    seq: at.seq,
                    timestamp: *timestamp,
                    status: call.status_name().unwrap_or_default().to_owned(),
                })
                .collect(),
            seq,
        })
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
