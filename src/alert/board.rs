//! The alerts that fire or have ended recently, and what changed since they were saved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tracing::warn;

use super::HOUR;
use crate::clock::UnixMillis;
use crate::model::{Alert, AlertKey, AlertName};

/// Milliseconds for which a resolved alert is kept for readers and for destinations that were down.
const KEPT: i64 = 7 * 24 * HOUR;

/// Alerts on the board. Beyond it resolved ones go first, and then no new one is added.
const MAX_ALERTS: usize = 1000;

/// Subjects of one name and instance. Beyond it new ones share the subject [`OTHERS`].
const MAX_SUBJECTS: usize = 20;

/// Stands for the subjects that have no alert of their own.
const OTHERS: &str = "others";

/// Something that is wrong at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sighting {
    pub(super) key: AlertKey,
    pub(super) since: UnixMillis,
    pub(super) last: UnixMillis,
    pub(super) count: i64,
    pub(super) detail: String,
}

/// All alerts.
#[derive(Debug, Default)]
pub(super) struct Board {
    alerts: BTreeMap<AlertKey, Alert>,
    changed: BTreeSet<AlertKey>,
    removed: BTreeSet<AlertKey>,
    /// Whether an alert began or ended since the last save, and not only a count changed.
    is_urgent: bool,
    is_published: bool,
    was_full: bool,
}

impl Board {
    /// A board with the alerts of an earlier run.
    pub(super) fn new(saved: Vec<Alert>) -> Self {
        let alerts = saved.into_iter().map(|alert| (alert.key.clone(), alert));
        Self {
            alerts: alerts.collect(),
            ..Self::default()
        }
    }

    /// The alerts that fire.
    pub(super) fn firing(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.values().filter(|alert| alert.is_firing())
    }

    /// Whether an alert fires.
    pub(super) fn fires(&self, key: &AlertKey) -> bool {
        self.alerts.get(key).is_some_and(Alert::is_firing)
    }

    /// Makes some alerts agree with what is wrong now: those that are meant and not among `sightings` end.
    pub(super) fn agree(
        &mut self,
        is_meant: impl Fn(&AlertKey) -> bool,
        sightings: Vec<Sighting>,
        now: UnixMillis,
    ) {
        let keys: BTreeSet<AlertKey> = sightings.iter().map(|seen| seen.key.clone()).collect();
        let gone: Vec<AlertKey> = self
            .firing()
            .filter(|alert| is_meant(&alert.key) && !keys.contains(&alert.key))
            .map(|alert| alert.key.clone())
            .collect();
        for key in gone {
            self.resolve(&key, now);
        }
        for sighting in sightings {
            self.fire(sighting);
        }
    }

    /// Counts something that happened once.
    pub(super) fn count(&mut self, mut key: AlertKey, at: UnixMillis, detail: String) {
        if !self.alerts.contains_key(&key) && self.subjects(&key) >= MAX_SUBJECTS {
            OTHERS.clone_into(&mut key.subject);
        }
        let before = self.alerts.get(&key).filter(|alert| alert.is_firing());
        let sighting = match before {
            Some(alert) => Sighting {
                since: alert.since,
                last: alert.last.max(at),
                count: alert.count.saturating_add(1),
                detail: alert.detail.clone(),
                key,
            },
            None => Sighting {
                key,
                since: at,
                last: at,
                count: 1,
                detail,
            },
        };
        self.fire(sighting);
    }

    fn subjects(&self, key: &AlertKey) -> usize {
        let same =
            |alert: &&Alert| alert.key.name == key.name && alert.key.id_instance == key.id_instance;
        self.alerts.values().filter(same).count()
    }

    fn fire(&mut self, sighting: Sighting) {
        let Sighting {
            key,
            since,
            last,
            count,
            detail,
        } = sighting;
        if !self.alerts.contains_key(&key) && !self.has_room() {
            return;
        }
        let before = self.alerts.get(&key).filter(|alert| alert.is_firing());
        let goes_on = before.is_some();
        let alert = Alert {
            key: key.clone(),
            since: before.map_or(since, |alert| alert.since),
            last,
            count,
            detail,
            resolved_at: None,
        };
        if self.alerts.get(&key) == Some(&alert) {
            return;
        }
        self.is_urgent |= !goes_on;
        self.touch(key.clone());
        self.alerts.insert(key, alert);
    }

    /// Ends the alerts that are over by themselves: `quiet` gives the milliseconds after the last observation.
    pub(super) fn expire(&mut self, quiet: impl Fn(AlertName) -> Option<i64>, now: UnixMillis) {
        let is_over = |alert: &&Alert| {
            quiet(alert.key.name).is_some_and(|quiet| now.0.saturating_sub(alert.last.0) >= quiet)
        };
        let over: Vec<AlertKey> = self
            .firing()
            .filter(is_over)
            .map(|alert| alert.key.clone())
            .collect();
        for key in over {
            self.resolve(&key, now);
        }
        let is_old = |alert: &&Alert| {
            let resolved = alert.resolved_at;
            resolved.is_some_and(|at| now.0.saturating_sub(at.0) >= KEPT)
        };
        let old: Vec<AlertKey> = self
            .alerts
            .values()
            .filter(is_old)
            .map(|alert| alert.key.clone())
            .collect();
        for key in old {
            self.remove(&key);
        }
    }

    fn resolve(&mut self, key: &AlertKey, now: UnixMillis) {
        if let Some(alert) = self.alerts.get_mut(key) {
            alert.resolved_at = Some(now);
            self.is_urgent = true;
            self.touch(key.clone());
        }
    }

    fn has_room(&mut self) -> bool {
        if self.alerts.len() < MAX_ALERTS {
            self.was_full = false;
            return true;
        }
        let resolved = self.alerts.values().filter(|alert| !alert.is_firing());
        let oldest = resolved.min_by_key(|alert| alert.resolved_at);
        if let Some(key) = oldest.map(|alert| alert.key.clone()) {
            self.remove(&key);
            return true;
        }
        if !self.was_full {
            warn!("{MAX_ALERTS} alerts fire; further ones are not reported until some of them end");
            self.was_full = true;
        }
        false
    }

    fn remove(&mut self, key: &AlertKey) {
        self.alerts.remove(key);
        self.changed.remove(key);
        self.removed.insert(key.clone());
        self.is_urgent = true;
        self.is_published = false;
    }

    fn touch(&mut self, key: AlertKey) {
        self.removed.remove(&key);
        self.changed.insert(key);
        self.is_published = false;
    }

    /// All alerts, if something has changed since the last call.
    pub(super) fn take_published(&mut self) -> Option<Arc<[Alert]>> {
        if std::mem::replace(&mut self.is_published, true) {
            return None;
        }
        Some(self.alerts.values().cloned().collect())
    }

    /// What is to be saved. `is_urgent` tells whether an alert began or ended.
    pub(super) fn unsaved(&self) -> Unsaved {
        let changed = self.changed.iter().filter_map(|key| self.alerts.get(key));
        Unsaved {
            changed: changed.cloned().collect(),
            removed: self.removed.iter().cloned().collect(),
            is_urgent: self.is_urgent,
        }
    }

    /// Everything is saved.
    pub(super) fn saved(&mut self) {
        self.changed.clear();
        self.removed.clear();
        self.is_urgent = false;
    }
}

/// What is to be saved.
#[derive(Debug)]
pub(super) struct Unsaved {
    pub(super) changed: Vec<Alert>,
    pub(super) removed: Vec<AlertKey>,
    pub(super) is_urgent: bool,
}

#[cfg(test)]
mod tests {
    use super::{Board, HOUR, KEPT, MAX_ALERTS, MAX_SUBJECTS, Sighting};
    use crate::clock::UnixMillis;
    use crate::model::{AlertKey, AlertName};

    fn key(name: AlertName, id: i64, subject: &str) -> AlertKey {
        AlertKey {
            name,
            id_instance: Some(id),
            subject: subject.to_owned(),
        }
    }

    fn sighting(id: i64, at: i64) -> Sighting {
        Sighting {
            key: key(AlertName::InstanceSilent, id, ""),
            since: UnixMillis(at),
            last: UnixMillis(at),
            count: 1,
            detail: String::new(),
        }
    }

    #[test]
    fn condition_that_is_gone_ends_and_one_that_goes_on_keeps_its_beginning() {
        let mut board = Board::default();
        board.agree(
            |_| true,
            vec![sighting(1, 5), sighting(2, 5)],
            UnixMillis(5),
        );
        board.agree(|_| true, vec![sighting(1, 9)], UnixMillis(9));
        let firing: Vec<_> = board.firing().collect();
        assert_eq!(
            (firing.len(), firing[0].since.0, firing[0].last.0),
            (1, 5, 9)
        );
        board.agree(|_| false, vec![], UnixMillis(10));
        assert_eq!(board.firing().count(), 1, "of another name");
        board.agree(|_| true, vec![sighting(2, 20)], UnixMillis(20));
        assert_eq!(board.firing().next().unwrap().since.0, 20, "a new time");
    }

    #[test]
    fn subjects_beyond_the_limit_share_one_alert() {
        let mut board = Board::default();
        for n in 0..MAX_SUBJECTS + 5 {
            let key = key(AlertName::UnknownType, 1, &format!("kind{n}"));
            board.count(key, UnixMillis(1), String::new());
        }
        assert_eq!(board.firing().count(), MAX_SUBJECTS + 1);
        let others = board.firing().find(|alert| alert.key.subject == "others");
        assert_eq!(others.unwrap().count, 5);
    }

    #[test]
    fn full_board_drops_resolved_alerts_and_then_takes_no_more() {
        let mut board = Board::default();
        let all = |ids: std::ops::Range<i64>| ids.map(|id| sighting(id, 1)).collect::<Vec<_>>();
        let most = i64::try_from(MAX_ALERTS).unwrap();
        board.agree(|_| true, all(0..most), UnixMillis(1));
        board.agree(|_| true, all(1..most + 1), UnixMillis(2));
        assert_eq!(board.firing().count(), MAX_ALERTS);
        assert_eq!(board.unsaved().removed.len(), 1);
        board.agree(|_| true, all(1..most + 9), UnixMillis(3));
        assert_eq!(board.firing().count(), MAX_ALERTS);
    }

    #[test]
    fn quiet_alert_ends_and_is_forgotten_after_a_week() {
        let mut board = Board::default();
        let quiet = |_| Some(HOUR);
        board.count(
            key(AlertName::MessageMarker, 1, "SWE001"),
            UnixMillis(0),
            String::new(),
        );
        board.expire(quiet, UnixMillis(HOUR - 1));
        assert_eq!(board.firing().count(), 1);
        board.expire(quiet, UnixMillis(HOUR));
        assert_eq!(board.firing().count(), 0);
        board.saved();
        board.expire(quiet, UnixMillis(HOUR + KEPT));
        assert_eq!(board.unsaved().removed.len(), 1);
    }
}
