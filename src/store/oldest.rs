//! The oldest stored event, as readers see it without a query.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The last deleted seq: the events after it are stored. Updated by the writer when it deletes events.
#[derive(Debug, Clone)]
pub struct DeletedThrough(Arc<AtomicI64>);

impl DeletedThrough {
    pub(in crate::store) fn new(seq: i64) -> Self {
        Self(Arc::new(AtomicI64::new(seq)))
    }

    /// The last deleted seq; 0 if none was deleted.
    #[must_use]
    pub fn seq(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(in crate::store) fn advance(&self, seq: i64) {
        self.0.fetch_max(seq, Ordering::SeqCst);
    }
}
