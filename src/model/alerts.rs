//! The current alerts, for the readers in this process.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::{Alert, AlertName, ShownAlert};
use crate::clock::Clock;

/// Firing and recently resolved alerts. Cheap to clone; reading takes no lock for longer than a copy of a
/// pointer.
#[derive(Debug, Clone)]
pub struct Alerts {
    current: Arc<RwLock<Arc<[Alert]>>>,
    clock: Clock,
}

impl Alerts {
    /// No alerts yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            current: Arc::new(RwLock::new(Arc::new([]))),
            clock,
        }
    }

    /// Replaces all alerts.
    pub fn publish(&self, alerts: Arc<[Alert]>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = alerts;
    }

    /// All alerts.
    #[must_use]
    pub fn current(&self) -> Arc<[Alert]> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// All alerts as the API shows them: those that fire first, the most urgent first, then the newest.
    #[must_use]
    pub fn shown(&self) -> Vec<ShownAlert> {
        let now = self.clock.now();
        let mut alerts: Vec<_> = self
            .current()
            .iter()
            .map(|alert| alert.shown(now))
            .collect();
        alerts.sort_by_key(|alert| {
            let newest_first = std::cmp::Reverse(alert.since);
            (alert.resolved_at.is_some(), alert.severity, newest_first)
        });
        alerts
    }

    /// How many alerts of each name fire; names without one are left out.
    #[must_use]
    pub fn firing(&self) -> BTreeMap<AlertName, u64> {
        let mut counts = BTreeMap::new();
        for alert in self.current().iter().filter(|alert| alert.is_firing()) {
            *counts.entry(alert.key.name).or_default() += 1;
        }
        counts
    }
}
