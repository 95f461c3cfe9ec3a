//! Alerts about accounts, as GREEN-API shows them: its queue, its settings, and calls that fail.

use super::MINUTE;
use super::board::Sighting;
use super::instances::{alert_of_state, is_state};
use crate::clock::UnixMillis;
use crate::model::{Account, Accounts, Alert, AlertKey, AlertName};

/// Milliseconds for which a queue may stay without becoming shorter.
const STUCK: i64 = 5 * MINUTE;

/// Milliseconds for which calls may fail.
const FAILING: i64 = 15 * MINUTE;

/// Whether an alert is made here.
pub(super) const fn is_about_account(name: AlertName) -> bool {
    matches!(
        name,
        AlertName::QueueGrowing | AlertName::SettingsChanged | AlertName::AccountUnreachable
    )
}

/// Goes on from an earlier run: since when a queue is stuck and calls fail is known only from its alerts.
pub(super) fn restore<'a>(accounts: &Accounts, firing: impl Iterator<Item = &'a Alert>) {
    for alert in firing {
        let Some(id) = alert.key.id_instance else {
            continue;
        };
        accounts.change(id, |account| match alert.key.name {
            _ if !account.awaits_check() => {}
            AlertName::QueueGrowing => account.queue_since = Some(alert.since),
            AlertName::AccountUnreachable => {
                account.failing_since = Some(alert.since);
                account.failure = Some(alert.detail.clone());
            }
            _ => {}
        });
    }
}

/// Whether an alert of an earlier run cannot be judged yet, because the account was not checked since the start.
pub(super) fn awaits_check(key: &AlertKey, accounts: &[Account]) -> bool {
    let is_meant = |account: &&Account| Some(account.id_instance) == key.id_instance;
    let is_from_check = matches!(
        key.name,
        AlertName::QueueGrowing | AlertName::SettingsChanged
    ) || is_state(key.name);
    let account = accounts.iter().find(is_meant);
    is_from_check && account.is_some_and(Account::awaits_check)
}

/// What is wrong now.
pub(super) fn sightings(accounts: &[Account], ignored: &[i64], now: UnixMillis) -> Vec<Sighting> {
    let mut seen = Vec::new();
    let watched = accounts
        .iter()
        .filter(|account| !ignored.contains(&account.id_instance));
    for account in watched {
        let add = |name, since: UnixMillis, detail| sighting(name, account, since, now, detail);
        let lasts = |since: UnixMillis, least| now.0.saturating_sub(since.0) >= least;
        if let (Some(since), Some(length)) = (account.queue_since, account.queue_notifications)
            // The queue was measured again since then.
            && account.checked_at.is_some_and(|at| at.0.saturating_sub(since.0) >= STUCK)
        {
            seen.push(add(
                AlertName::QueueGrowing,
                since,
                format!("{length} notifications wait"),
            ));
        }
        if let Some(at) = account
            .checked_at
            .filter(|_| !account.differences.is_empty())
        {
            let names = account.differences.iter().map(|one| &*one.name);
            let names = names.collect::<Vec<_>>().join(", ");
            seen.push(add(AlertName::SettingsChanged, at, names));
        }
        if let Some(since) = account.failing_since.filter(|since| lasts(*since, FAILING)) {
            let failure = account.failure.clone().unwrap_or_default();
            seen.push(add(AlertName::AccountUnreachable, since, failure));
        }
    }
    seen
}

/// Replaces the states that instances reported by those that GREEN-API showed later.
pub(super) fn correct_states(seen: &mut Vec<Sighting>, accounts: &[Account], ignored: &[i64]) {
    for account in accounts {
        let id = account.id_instance;
        let (Some(state), Some(at)) = (&account.state, account.checked_at) else {
            continue;
        };
        if ignored.contains(&id) {
            continue;
        }
        let name = alert_of_state(state);
        // How long an instance has been starting is known from its notification.
        if name == Some(AlertName::InstanceStarting) {
            continue;
        }
        let is_other = |one: &Sighting| {
            one.key.id_instance == Some(id) && is_state(one.key.name) && one.since < at
        };
        seen.retain(|one| !is_other(one) || Some(one.key.name) == name);
        let is_known =
            |one: &Sighting| one.key.id_instance == Some(id) && Some(one.key.name) == name;
        if let Some(name) = name.filter(|_| !seen.iter().any(is_known)) {
            seen.push(sighting(name, account, at, at, String::new()));
        }
    }
}

fn sighting(
    name: AlertName,
    account: &Account,
    since: UnixMillis,
    last: UnixMillis,
    detail: String,
) -> Sighting {
    Sighting {
        key: AlertKey {
            name,
            id_instance: Some(account.id_instance),
            subject: String::new(),
        },
        since,
        last,
        count: 1,
        detail,
    }
}
