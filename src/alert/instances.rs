//! Alerts about instances: their state, silence, and notifications that arrive late.

use std::collections::{HashMap, HashSet};

use super::board::Sighting;
use super::{HOUR, MINUTE};
use crate::clock::UnixMillis;
use crate::config::Alerts as Settings;
use crate::model::{Alert, AlertKey, AlertName, Instance};

/// Milliseconds without a notification after which an instance counts as given up and raises no alert.
const GIVEN_UP: i64 = 30 * 24 * HOUR;

/// Milliseconds that a start of an instance may take. GREEN-API names five minutes.
const STARTING: i64 = 10 * MINUTE;

/// Milliseconds after the start of the program before an instance counts as silent: while the program was down
/// nothing arrived, and GREEN-API waits 60 s before it sends again.
const GRACE: i64 = 2 * MINUTE;

/// Milliseconds after a late notification during which the alert goes on although nothing else arrives.
const LATE: i64 = 15 * MINUTE;

/// Late notifications in a row that raise an alert. One alone may come from a phone that was offline.
const IN_A_ROW: u32 = 2;

/// Whether an alert is made here.
pub(super) const fn is_about_instance(name: AlertName) -> bool {
    is_state(name) || matches!(name, AlertName::InstanceSilent | AlertName::DeliveryLag)
}

/// Whether an alert is about the state of an instance.
pub(super) const fn is_state(name: AlertName) -> bool {
    matches!(
        name,
        AlertName::InstanceNotAuthorized
            | AlertName::InstanceBlocked
            | AlertName::InstanceYellowCard
            | AlertName::InstanceSuspended
            | AlertName::InstanceStarting
    )
}

/// What an instance showed at the last sample.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    id: i64,
    state: Option<(String, i64)>,
    seq: i64,
    received_at: UnixMillis,
    /// Milliseconds from GREEN-API's timestamp to the arrival.
    lag: Option<i64>,
}

impl From<Instance> for Sample {
    fn from(instance: Instance) -> Self {
        let newest = instance.newest;
        let sent_at = newest.timestamp.map(|seconds| seconds.saturating_mul(1000));
        Self {
            id: instance.id_instance,
            state: instance.state.map(|state| (state.name, state.since)),
            seq: newest.seq,
            received_at: newest.received_at,
            lag: sent_at.map(|sent_at| newest.received_at.0.saturating_sub(sent_at)),
        }
    }
}

/// Late notifications of an instance in a row.
#[derive(Debug, Clone, Copy)]
struct Late {
    seq: i64,
    since: UnixMillis,
    in_a_row: u32,
}

/// Watches the instances.
#[derive(Debug)]
pub(super) struct Instances {
    started_at: UnixMillis,
    samples: Vec<Sample>,
    late: HashMap<i64, Late>,
    /// Instances that were silent before the start.
    silent: HashSet<i64>,
}

impl Instances {
    /// Starts to watch. Those that were silent or late in an earlier run go on being so.
    pub(super) fn new<'a>(started_at: UnixMillis, firing: impl Iterator<Item = &'a Alert>) -> Self {
        let (mut silent, mut late) = (HashSet::new(), HashMap::new());
        for alert in firing {
            match (alert.key.name, alert.key.id_instance) {
                (AlertName::InstanceSilent, Some(id)) => {
                    silent.insert(id);
                }
                (AlertName::DeliveryLag, Some(id)) => {
                    let before = Late {
                        seq: 0,
                        since: alert.since,
                        in_a_row: IN_A_ROW,
                    };
                    late.insert(id, before);
                }
                _ => {}
            }
        }
        Self {
            started_at,
            samples: Vec::new(),
            late,
            silent,
        }
    }

    /// Takes a new sample of all instances.
    pub(super) fn sample(&mut self, settings: &Settings, samples: Vec<Sample>) {
        self.samples = samples;
        self.samples
            .retain(|sample| !settings.ignored_instances.contains(&sample.id));
        let bound = i64::from(settings.delivery_lag_minutes) * MINUTE;
        let mut late = HashMap::new();
        for sample in &self.samples {
            let is_late = bound > 0 && sample.lag.is_some_and(|lag| lag > bound);
            if !is_late {
                continue;
            }
            let now_late = match self.late.get(&sample.id) {
                Some(before) if before.seq == sample.seq => *before,
                Some(before) => Late {
                    seq: sample.seq,
                    since: before.since,
                    in_a_row: before.in_a_row.saturating_add(1),
                },
                None => Late {
                    seq: sample.seq,
                    since: sample.received_at,
                    in_a_row: 1,
                },
            };
            late.insert(sample.id, now_late);
        }
        self.late = late;
    }

    /// What is wrong now, as of the last sample.
    pub(super) fn sightings(&self, settings: &Settings, now: UnixMillis) -> Vec<Sighting> {
        let mut sightings = Vec::new();
        for sample in &self.samples {
            let quiet = now.0.saturating_sub(sample.received_at.0);
            if quiet >= GIVEN_UP {
                continue;
            }
            sightings.extend(state(sample, now));
            sightings.extend(self.silence(settings, sample, now));
            sightings.extend(self.lag(sample, now));
        }
        sightings
    }

    fn silence(&self, settings: &Settings, sample: &Sample, now: UnixMillis) -> Option<Sighting> {
        let bound = i64::from(settings.silence_hours) * HOUR;
        let quiet = now.0.saturating_sub(sample.received_at.0);
        let up = now.0.saturating_sub(self.started_at.0);
        let is_known = up >= GRACE || self.silent.contains(&sample.id);
        let is_silent = bound > 0 && quiet >= bound && is_known;
        is_silent.then(|| {
            let detail = format!("nothing since {}", sample.received_at);
            sighting(
                AlertName::InstanceSilent,
                sample,
                sample.received_at,
                detail,
            )
        })
    }

    fn lag(&self, sample: &Sample, now: UnixMillis) -> Option<Sighting> {
        let late = self.late.get(&sample.id)?;
        let is_recent = now.0.saturating_sub(sample.received_at.0) < LATE;
        (late.in_a_row >= IN_A_ROW && is_recent).then(|| {
            let minutes = sample.lag.unwrap_or(0) / MINUTE;
            let detail = format!("the newest one came {minutes} minutes after its timestamp");
            sighting(AlertName::DeliveryLag, sample, late.since, detail)
        })
    }
}

/// The alert that a state raises. `starting` raises one only after a while.
pub(super) fn alert_of_state(state: &str) -> Option<AlertName> {
    Some(match state {
        "notAuthorized" => AlertName::InstanceNotAuthorized,
        "blocked" => AlertName::InstanceBlocked,
        "yellowCard" => AlertName::InstanceYellowCard,
        "suspended" => AlertName::InstanceSuspended,
        "starting" => AlertName::InstanceStarting,
        _ => return None,
    })
}

fn state(sample: &Sample, now: UnixMillis) -> Option<Sighting> {
    let (name, since) = sample.state.as_ref()?;
    let since = UnixMillis(since.saturating_mul(1000));
    let alert = alert_of_state(name)?;
    let is_early = alert == AlertName::InstanceStarting && now.0.saturating_sub(since.0) < STARTING;
    (!is_early).then(|| sighting(alert, sample, since, String::new()))
}

fn sighting(name: AlertName, sample: &Sample, since: UnixMillis, detail: String) -> Sighting {
    Sighting {
        key: AlertKey {
            name,
            id_instance: Some(sample.id),
            subject: String::new(),
        },
        since,
        last: sample.received_at.max(since),
        count: 1,
        detail,
    }
}
