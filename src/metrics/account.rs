//! The accounts as GREEN-API showed them last.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The documented states. Others count as [`OTHER`].
const STATES: [&str; 9] = [
    "authorized",
    "notAuthorized",
    "blocked",
    "starting",
    "sleepMode",
    "yellowCard",
    "suspended",
    "pendingPassword",
    "creating",
];

/// Stands for a state that is not documented.
const OTHER: &str = "other";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabel {
    id_instance: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    id_instance: i64,
    state: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReconciledLabels {
    id_instance: i64,
    result: &'static str,
}

/// An account at the last check.
#[derive(Debug, Clone)]
pub struct SampledAccount {
    /// `idInstance`.
    pub id_instance: i64,
    /// Its state, if it was checked.
    pub state: Option<String>,
    /// The length of GREEN-API's queue, if it is known.
    pub queue: Option<i64>,
}

/// The metrics of all accounts.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    queue: Family<QueueLabel, Gauge>,
    state: Family<StateLabels, Gauge>,
    reconciled: Family<ReconciledLabels, Counter>,
}

impl Accounts {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "account_queue_notifications",
            "Notifications that wait in GREEN-API's queue, by account, at the last check",
            Family::clone(&self.queue),
        );
        registry.register(
            "account_state",
            "1 for the state of each account at the last check",
            Family::clone(&self.state),
        );
        registry.register(
            "account_reconciled",
            "Messages and calls in GREEN-API's journals that were compared with the database, by account",
            Family::clone(&self.reconciled),
        );
    }

    /// Adds what a comparison of the journals of an account counted.
    pub(super) fn reconciled(&self, id_instance: i64, counts: &[(&'static str, u64)]) {
        for &(result, count) in counts {
            let labels = ReconciledLabels {
                id_instance,
                result,
            };
            self.reconciled.get_or_create_owned(&labels).inc_by(count);
        }
    }

    /// Makes the metrics show these accounts.
    pub(super) fn publish(&self, accounts: &[SampledAccount]) {
        self.queue.clear();
        self.state.clear();
        for account in accounts {
            let id_instance = account.id_instance;
            if let Some(length) = account.queue {
                let gauge = self.queue.get_or_create_owned(&QueueLabel { id_instance });
                gauge.set(length);
            }
            if let Some(state) = &account.state {
                let known = STATES.into_iter().find(|known| known == state);
                let state = known.unwrap_or(OTHER);
                let labels = StateLabels { id_instance, state };
                self.state.get_or_create_owned(&labels).set(1);
            }
        }
    }
}
