//! What retention has deleted since the start of the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Cumulative counts. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Freed(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    events: AtomicU64,
    bytes: AtomicU64,
}

impl Freed {
    pub(super) fn add(&self, events: u64, bytes: u64) {
        self.0.events.fetch_add(events, Ordering::Relaxed);
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Number of deleted events.
    #[must_use]
    pub fn events_deleted(&self) -> u64 {
        self.0.events.load(Ordering::Relaxed)
    }

    /// Bytes of the bodies of the deleted events.
    #[must_use]
    pub fn bytes_freed(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }
}
