//! The forward destinations.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DestinationLabel {
    destination: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    destination: String,
    result: &'static str,
}

/// A forward destination, as a scrape shows it.
#[derive(Debug, Clone)]
pub struct SampledForward {
    /// Its name.
    pub name: String,
    /// Seconds since the oldest undelivered event began to wait.
    pub backlog: f64,
    /// Dead letters.
    pub dead: u64,
    /// Events that were deleted before they were delivered.
    pub expired: u64,
}

/// The metrics of forward destinations.
#[derive(Debug, Default)]
pub(super) struct Destinations {
    backlog: Family<DestinationLabel, Gauge<f64, AtomicU64>>,
    dead: Family<DestinationLabel, Gauge>,
    expired: Family<DestinationLabel, Counter>,
    attempts: Family<AttemptLabels, Counter>,
}

impl Destinations {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "forward_backlog",
            "Time since the oldest undelivered event of each destination began to wait",
            Unit::Seconds,
            Family::clone(&self.backlog),
        );
        registry.register(
            "forward_dead_letters",
            "Events that each destination did not take in any attempt",
            Family::clone(&self.dead),
        );
        registry.register(
            "forward_expired_events",
            "Events that retention deleted before each destination had got them",
            Family::clone(&self.expired),
        );
        registry.register(
            "forward_attempts",
            "Attempts to deliver an event, by result",
            Family::clone(&self.attempts),
        );
    }

    pub(super) fn attempted(&self, destination: &str, result: &'static str) {
        let labels = AttemptLabels {
            destination: destination.to_owned(),
            result,
        };
        self.attempts.get_or_create(&labels).inc();
    }

    pub(super) fn publish(&self, sampled: &[SampledForward]) {
        for forward in sampled {
            let label = DestinationLabel {
                destination: forward.name.clone(),
            };
            self.backlog
                .get_or_create_owned(&label)
                .set(forward.backlog);
            let dead = i64::try_from(forward.dead).unwrap_or(i64::MAX);
            self.dead.get_or_create_owned(&label).set(dead);
            let expired = self.expired.get_or_create_owned(&label);
            expired.inner().store(forward.expired, Ordering::Relaxed);
        }
    }
}
