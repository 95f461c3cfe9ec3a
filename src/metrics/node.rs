//! The metrics of one of several nodes. They are absent if there is only one.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{LATENCY, NoLabel};

/// What a node knows of PostgreSQL and of its copy.
#[derive(Debug, Clone)]
pub struct SampledNode {
    /// Whether notifications can be stored and events copied.
    pub is_connected: bool,
    /// Events in PostgreSQL that the copy does not have yet.
    pub lag: i64,
    /// The leases, and whether this node has each. Those of accounts are named `account:` and `idInstance`.
    pub leases: Vec<(String, bool)>,
    /// Time since the copy had everything.
    pub age: Duration,
    /// The epoch of the copy.
    pub epoch: String,
    /// How many standbys PostgreSQL has; `None`: it is away.
    pub standbys: Option<i64>,
    /// Seconds by which the slowest standby is behind; `None`: unknown.
    pub standby_lag: Option<f64>,
}

/// The names of the leases are a closed set for each configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LeaseLabel {
    lease: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AccountLabel {
    id_instance: i64,
}

/// The one label whose values are not a closed set. There is one series at a time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EpochLabel {
    epoch: String,
}

#[derive(Debug, Default)]
struct Seconds(Family<NoLabel, Gauge<f64, AtomicU64>>);

impl Seconds {
    /// Absent if the value is unknown.
    fn set(&self, value: Option<f64>) {
        match value {
            Some(value) => {
                self.0.get_or_create_owned(&NoLabel {}).set(value);
            }
            None => self.0.clear(),
        }
    }
}

#[derive(Debug)]
pub(super) struct NodeGauges {
    connected: Family<NoLabel, Gauge>,
    lag: Family<NoLabel, Gauge>,
    leases: Family<LeaseLabel, Gauge>,
    accounts: Family<AccountLabel, Gauge>,
    age: Seconds,
    epoch: Family<EpochLabel, Gauge>,
    standbys: Family<NoLabel, Gauge>,
    standby_lag: Seconds,
    append: Family<NoLabel, Histogram, fn() -> Histogram>,
}

impl Default for NodeGauges {
    fn default() -> Self {
        Self {
            connected: Family::default(),
            lag: Family::default(),
            leases: Family::default(),
            accounts: Family::default(),
            age: Seconds::default(),
            epoch: Family::default(),
            standbys: Family::default(),
            standby_lag: Seconds::default(),
            append: Family::new_with_constructor(|| Histogram::new(LATENCY)),
        }
    }
}

impl NodeGauges {
    pub(super) fn register(&self, all: &mut Registry) {
        all.register(
            "node_connected",
            "Whether this one of several nodes can store and copy events: 1 or 0",
            Family::clone(&self.connected),
        );
        all.register(
            "node_lag_events",
            "Events in PostgreSQL that the copy of this node does not have yet",
            Family::clone(&self.lag),
        );
        all.register(
            "lease_held",
            "Whether this one of several nodes does what the lease stands for: 1 or 0",
            Family::clone(&self.leases),
        );
        all.register(
            "account_lease_held",
            "Whether this one of several nodes calls GREEN-API for the account: 1 or 0",
            Family::clone(&self.accounts),
        );
        all.register_with_unit(
            "node_lag",
            "Time since the copy of this node had everything that PostgreSQL has",
            Unit::Seconds,
            Family::clone(&self.age.0),
        );
        all.register(
            "node_epoch",
            "The epoch of the copy of this node; the value is always 1",
            Family::clone(&self.epoch),
        );
        all.register(
            "standbys",
            "Standbys that are connected to PostgreSQL; absent while it is away",
            Family::clone(&self.standbys),
        );
        all.register_with_unit(
            "standby_lag",
            "Time until the slowest standby has a commit on its disk; absent if it is unknown",
            Unit::Seconds,
            Family::clone(&self.standby_lag.0),
        );
        all.register_with_unit(
            "append_duration",
            "Time of one call of append_batch: the wait for the lock, the commit, and the wait for the standby",
            Unit::Seconds,
            Family::clone(&self.append),
        );
    }

    pub(super) fn appended(&self, took: Duration) {
        let histogram = self.append.get_or_create_owned(&NoLabel {});
        histogram.observe(took.as_secs_f64());
    }

    pub(super) fn set(&self, node: Option<&SampledNode>) {
        let Some(node) = node else {
            return;
        };
        let gauge = |family: &Family<NoLabel, Gauge>| family.get_or_create_owned(&NoLabel {});
        gauge(&self.connected).set(i64::from(node.is_connected));
        gauge(&self.lag).set(node.lag);
        for (lease, is_held) in &node.leases {
            let account = lease.strip_prefix("account:").map(str::parse);
            let gauge = if let Some(Ok(id_instance)) = account {
                let label = AccountLabel { id_instance };
                self.accounts.get_or_create_owned(&label)
            } else {
                let lease = lease.clone();
                self.leases.get_or_create_owned(&LeaseLabel { lease })
            };
            gauge.set(i64::from(*is_held));
        }
        self.age.set(Some(node.age.as_secs_f64()));
        self.epoch.clear();
        let epoch = node.epoch.clone();
        self.epoch.get_or_create_owned(&EpochLabel { epoch }).set(1);
        match node.standbys {
            Some(count) => {
                gauge(&self.standbys).set(count);
            }
            None => self.standbys.clear(),
        }
        self.standby_lag.set(node.standby_lag);
    }
}
