//! Alerts about the forward destinations.

use super::board::Sighting;
use super::{HOUR, MINUTE};
use crate::clock::UnixMillis;
use crate::model::{Alert, AlertKey, AlertName, ForwardState, ForwardStatus, Forwards};

/// Milliseconds without a success after which a destination is reported although few attempts were made.
const FAILING: i64 = 5 * MINUTE;

/// Milliseconds for which a new dead letter, or a deleted event, is reported.
const NEW: i64 = 24 * HOUR;

/// Whether an alert is about a forward destination.
pub(super) fn is_about_forward(alert: AlertName) -> bool {
    matches!(
        alert,
        AlertName::ForwardFailing | AlertName::ForwardDeadLetter | AlertName::ForwardExpired
    )
}

/// Goes on from an earlier run, before the tasks of the destinations start: the next attempt may be hours away.
pub(super) fn restore<'a>(forwards: &Forwards, firing: impl Iterator<Item = &'a Alert>) {
    for alert in firing {
        forwards.change(&alert.key.subject, |one| match alert.key.name {
            AlertName::ForwardFailing => {
                one.failing_since = Some(alert.since);
                one.problem = Some(alert.detail.clone());
            }
            AlertName::ForwardDeadLetter => {
                one.last_dead_at = Some(alert.last);
                one.dead = alert.count.unsigned_abs();
            }
            AlertName::ForwardExpired => {
                one.last_expired_at = Some(alert.last);
                one.expired = alert.count.unsigned_abs();
            }
            _ => {}
        });
    }
}

/// What is wrong with the destinations now. `fires` tells whether an alert fires already: one that does ends only when
/// an event is delivered.
pub(super) fn sightings(
    all: &[ForwardStatus],
    fires: impl Fn(&AlertKey) -> bool,
    now: UnixMillis,
) -> Vec<Sighting> {
    // Of several nodes, the one that delivers tells it.
    all.iter()
        .filter(|one| one.state != ForwardState::Elsewhere)
        .flat_map(|one| [failing(one, &fires, now), dead(one, now), expired(one, now)])
        .flatten()
        .collect()
}

fn failing(
    one: &ForwardStatus,
    fires: impl Fn(&AlertKey) -> bool,
    now: UnixMillis,
) -> Option<Sighting> {
    let since = one.failing_since?;
    let lasts = now.0.saturating_sub(since.0) >= FAILING;
    let is_failing =
        lasts || one.state != ForwardState::Running || fires(&key(AlertName::ForwardFailing, one));
    let detail = one.problem.clone().unwrap_or_default();
    is_failing.then(|| sighting(AlertName::ForwardFailing, one, (since, now), 1, detail))
}

fn dead(one: &ForwardStatus, now: UnixMillis) -> Option<Sighting> {
    let last = one.last_dead_at?;
    let is_new = one.dead > 0 && now.0.saturating_sub(last.0) < NEW;
    let count = i64::try_from(one.dead).unwrap_or(i64::MAX);
    let name = AlertName::ForwardDeadLetter;
    is_new.then(|| sighting(name, one, (last, last), count, String::new()))
}

fn expired(one: &ForwardStatus, now: UnixMillis) -> Option<Sighting> {
    let last = one.last_expired_at?;
    let is_new = now.0.saturating_sub(last.0) < NEW;
    let count = i64::try_from(one.expired).unwrap_or(i64::MAX);
    let name = AlertName::ForwardExpired;
    is_new.then(|| sighting(name, one, (last, last), count, String::new()))
}

fn key(name: AlertName, one: &ForwardStatus) -> AlertKey {
    AlertKey {
        name,
        id_instance: None,
        subject: one.name.clone(),
    }
}

fn sighting(
    name: AlertName,
    one: &ForwardStatus,
    (since, last): (UnixMillis, UnixMillis),
    count: i64,
    detail: String,
) -> Sighting {
    Sighting {
        key: key(name, one),
        since,
        last,
        count,
        detail,
    }
}
