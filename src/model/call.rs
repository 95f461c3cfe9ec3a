//! A call: its offer and its outcome.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use super::chat_identity::{PrivateKind, canonical_chat};
use super::mention::nonempty;
use super::moment::{Moment, in_time_order};
use super::parsed::notification;
use crate::notification::{Call as CallNotification, CallStatus, Notification};

/// A call as the API returns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Instance number of the account.
    pub id_instance: i64,
    /// Identifier of the call. Null if the notification has none; each such event is then a separate call.
    #[schema(required)]
    pub id_message: Option<String>,
    /// `incoming` or `outgoing`.
    pub direction: &'static str,
    /// The caller; for an outgoing call, the chat that was called. If the events of one call disagree,
    /// a `@c.us` identifier is preferred over all others and a `@lid` identifier is the last choice.
    #[schema(required)]
    pub from: Option<String>,
    /// Call status: `offer` while it rings, then `pickUp`, `hangUp`, `missed`, `declined` or `invalid`. Null if
    /// no event of the call has a readable status.
    #[schema(required)]
    pub status: Option<String>,
    /// Whether the call was answered.
    pub answered: bool,
    /// Whether it is a video call.
    #[schema(required)]
    pub is_video: Option<bool>,
    /// Duration in seconds.
    #[schema(required)]
    pub duration: Option<i64>,
    /// Participants of a group call.
    #[schema(required)]
    pub participants: Option<Vec<CallParticipant>>,
    /// When the call began to ring, Unix seconds.
    #[schema(required)]
    pub offer_timestamp: Option<i64>,
    /// When the call reached its current status, Unix seconds.
    #[schema(required)]
    pub status_timestamp: Option<i64>,
    /// Notifications about the call, in time order.
    pub events: Vec<CallEvent>,
    /// Present and true if an event of the call is damaged on disk. What that event reported is left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
    /// Position in lists: the seq of the first event that mentions the call.
    pub seq: i64,
}

/// A participant of a group call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallParticipant {
    /// Identifier of the participant.
    #[schema(required)]
    pub wid: Option<String>,
    /// Status of the call for this participant.
    #[schema(required)]
    pub status: Option<String>,
}

/// One notification about a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallEvent {
    /// Sequence number of the event.
    pub seq: i64,
    /// Timestamp from the notification, Unix seconds.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// Status of the call in this notification; null if it has none that can be read.
    #[schema(required)]
    pub status: Option<String>,
}

impl Call {
    /// Builds a call from the events (seq, arrival in milliseconds, body) that mention it, in any
    /// order. Returns `None` if no event does.
    pub fn of<'e>(
        seq: i64,
        (id_instance, id_message): (i64, Option<&str>),
        events: impl IntoIterator<Item = (i64, i64, &'e [u8])>,
    ) -> Option<Self> {
        let events = in_time_order(events);
        let reports: Vec<_> = events
            .iter()
            .filter_map(|(at, parsed)| {
                let notification = notification(parsed)?;
                let (call, direction) = call(notification)?;
                Some(Report {
                    at: *at,
                    timestamp: parsed.columns.timestamp,
                    from: nonempty(call.from.as_deref()).map(canonical_chat),
                    status: notification.status_name(),
                    direction,
                    call,
                })
            })
            .collect();
        // The last report wins among equal ranks.
        let outcome = reports
            .iter()
            .max_by_key(|report| (report.status.map(call_rank), report.at))?;
        let newest_first = || reports.iter().rev().map(|report| report.call);
        let is = |status: CallStatus<'static>| {
            move |report: &&Report<'_>| report.status == Some(status.name())
        };
        Some(Self {
            id_instance,
            id_message: id_message.map(str::to_owned),
            direction: outcome.direction,
            from: reports
                .iter()
                .filter_map(|report| report.from.as_deref())
                .min_by_key(|from| (preference(from), *from))
                .map(str::to_owned),
            status: outcome.status.map(str::to_owned),
            answered: reports.iter().any(|report| is(CallStatus::PickUp)(&report)),
            is_video: newest_first().find_map(|call| call.is_video),
            duration: newest_first().find_map(|call| call.duration).map(|n| n.0),
            participants: newest_first()
                .find_map(|call| call.participants.as_ref())
                .map(|all| all.iter().map(CallParticipant::of).collect()),
            offer_timestamp: reports
                .iter()
                .find(is(CallStatus::Offer))
                .and_then(|report| report.timestamp),
            status_timestamp: outcome.status.and(outcome.timestamp),
            events: reports.iter().map(CallEvent::of).collect(),
            damaged: false,
            seq,
        })
    }
}

/// What one event says about a call.
struct Report<'p> {
    at: Moment,
    timestamp: Option<i64>,
    from: Option<Cow<'p, str>>,
    status: Option<&'p str>,
    direction: &'static str,
    call: &'p CallNotification<'p>,
}

impl CallEvent {
    fn of(report: &Report<'_>) -> Self {
        Self {
            seq: report.at.seq,
            timestamp: report.timestamp,
            status: report.status.map(str::to_owned),
        }
    }
}

/// Sort key that picks which form of a caller's identifier is shown; the lowest wins.
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

/// Rank of a call status: ringing (0), answered (1), ended (2). The highest rank wins; among equal
/// ranks the latest status wins.
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
