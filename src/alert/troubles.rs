//! Alerts from the troubles that other parts of the program observe.

use super::board::Sighting;
use super::{HOUR, MINUTE};
use crate::clock::UnixMillis;
use crate::model::{Alert, AlertKey, AlertName};
use crate::trouble::{Observed, Trouble, Troubles};

/// Milliseconds after the last observation before a trouble that has ended is over. GREEN-API repeats what is
/// refused after 60 s and waits up to 180 s for a response, so a trouble of one instance comes back within this
/// time while requests of other instances succeed.
const SETTLED: i64 = 5 * MINUTE;

const ALL: [Trouble; 14] = [
    Trouble::TokenRejected,
    Trouble::BodyTooLarge,
    Trouble::StorageRefuses,
    Trouble::DeliveryRepeated,
    Trouble::TokenFileUnreadable,
    Trouble::DiskLow,
    Trouble::RetentionStuck,
    Trouble::BackupOld,
    Trouble::DamagedBody,
    Trouble::ProjectionBehind,
    Trouble::FileLost,
    Trouble::NoStandby,
    Trouble::NodeBehind,
    Trouble::Rewound,
];

const fn name(trouble: Trouble) -> AlertName {
    match trouble {
        Trouble::TokenRejected => AlertName::TokenRejected,
        Trouble::BodyTooLarge => AlertName::BodyTooLarge,
        Trouble::StorageRefuses => AlertName::StorageRefuses,
        Trouble::DeliveryRepeated => AlertName::DeliveryRepeated,
        Trouble::TokenFileUnreadable => AlertName::TokenFileUnreadable,
        Trouble::DiskLow => AlertName::DiskLow,
        Trouble::RetentionStuck => AlertName::RetentionStuck,
        Trouble::BackupOld => AlertName::BackupOld,
        Trouble::DamagedBody => AlertName::DamagedBody,
        Trouble::ProjectionBehind => AlertName::ProjectionBehind,
        Trouble::FileLost => AlertName::FileLost,
        Trouble::NoStandby => AlertName::NoStandby,
        Trouble::NodeBehind => AlertName::NodeBehind,
        Trouble::Rewound => AlertName::Rewound,
    }
}

/// Milliseconds without an observation after which a trouble is over although nobody has ended it.
const fn lasts(trouble: Trouble) -> Option<i64> {
    match trouble {
        Trouble::DeliveryRepeated => Some(HOUR),
        // Nobody observes that the bytes are good again.
        Trouble::DamagedBody => Some(7 * 24 * HOUR),
        // The next reload ends it.
        Trouble::TokenFileUnreadable => None,
        // GREEN-API has given up by then; others are observed again and again.
        _ => Some(25 * HOUR),
    }
}

/// Whether an alert comes from a trouble.
pub(super) fn is_from_trouble(alert: AlertName) -> bool {
    ALL.into_iter().any(|trouble| name(trouble) == alert)
}

/// Brings back the troubles of an earlier run, so that their alerts go on.
pub(super) fn restore<'a>(troubles: &Troubles, firing: impl Iterator<Item = &'a Alert>) {
    for alert in firing {
        let trouble = ALL
            .into_iter()
            .find(|trouble| name(*trouble) == alert.key.name);
        // The program starts only if it can read the token files.
        let trouble = trouble.filter(|trouble| *trouble != Trouble::TokenFileUnreadable);
        if let Some(trouble) = trouble {
            let before = Observed {
                since: alert.since,
                last: alert.last,
                count: u64::try_from(alert.count).unwrap_or(1),
                detail: alert.detail.clone(),
                has_ended: false,
            };
            troubles.restore(trouble, before);
        }
    }
}

/// What is wrong now. Forgets the troubles that are over.
pub(super) fn sightings(troubles: &Troubles, now: UnixMillis) -> Vec<Sighting> {
    let mut sightings = Vec::new();
    for (trouble, observed) in troubles.all() {
        let quiet = now.0.saturating_sub(observed.last.0);
        let is_over = (observed.has_ended && quiet >= SETTLED)
            || lasts(trouble).is_some_and(|lasts| quiet >= lasts);
        if is_over {
            troubles.forget(trouble, observed.last);
            continue;
        }
        sightings.push(Sighting {
            key: AlertKey {
                name: name(trouble),
                id_instance: None,
                subject: String::new(),
            },
            since: observed.since,
            last: observed.last,
            count: i64::try_from(observed.count).unwrap_or(i64::MAX),
            detail: observed.detail,
        });
    }
    sightings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ALL, HOUR, SETTLED, is_from_trouble, lasts, name, sightings};
    use crate::clock::UnixMillis;
    use crate::trouble::{Trouble, Troubles};

    #[test]
    fn each_trouble_raises_an_alert_of_its_own() {
        let troubles = Troubles::default();
        for trouble in ALL {
            troubles.observe(trouble, UnixMillis(0), || "why".to_owned());
        }
        let seen = sightings(&troubles, UnixMillis(1));
        let names: BTreeSet<_> = seen.iter().map(|seen| seen.key.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(names.into_iter().all(is_from_trouble));
        assert!(seen.iter().all(|seen| seen.detail == "why"));
    }

    #[test]
    fn ended_trouble_is_over_after_it_has_settled_and_an_abandoned_one_after_a_day() {
        let troubles = Troubles::default();
        troubles.observe(Trouble::DiskLow, UnixMillis(0), String::new);
        troubles.observe(Trouble::BackupOld, UnixMillis(0), String::new);
        troubles.end(Trouble::DiskLow);
        let at = |millis| -> Vec<_> {
            let seen = sightings(&troubles, UnixMillis(millis));
            seen.into_iter().map(|seen| seen.key.name).collect()
        };
        assert_eq!(at(SETTLED - 1).len(), 2);
        assert_eq!(at(SETTLED), [name(Trouble::BackupOld)]);
        assert_eq!(at(25 * HOUR - 1), [name(Trouble::BackupOld)]);
        assert!(at(25 * HOUR).is_empty());
        assert_eq!(lasts(Trouble::TokenFileUnreadable), None);
    }
}
