//! The files of messages that are kept.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

/// The metrics of kept files.
#[derive(Debug, Default)]
pub(super) struct KeptFiles {
    attempts: Family<ResultLabel, Counter>,
    waiting: Gauge,
    bytes: Gauge,
}

impl KeptFiles {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "media_attempts",
            "Attempts to keep a file, by result: kept, same (as another event of the message), failed (tried \
             again), lost, gone (its event is deleted)",
            Family::clone(&self.attempts),
        );
        registry.register(
            "media_waiting",
            "Files that wait to be kept",
            self.waiting.clone(),
        );
        registry.register_with_unit(
            "media_kept",
            "Size of the kept files, with the downloads in progress",
            Unit::Bytes,
            self.bytes.clone(),
        );
    }

    pub(super) fn downloaded(&self, result: &'static str) {
        self.attempts.get_or_create(&ResultLabel { result }).inc();
    }

    pub(super) fn set(&self, waiting: u64, bytes: u64) {
        self.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        self.bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }
}
