//! The memory that was reserved for what a tool read. It stays reserved until the answer is sent.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use bytes::Bytes;

use crate::store::Reserved;

/// The reservations of one request. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Held(Arc<Mutex<Vec<Reserved>>>);

/// Bytes, and the reservations that end with them.
struct Sent(
    Bytes,
    #[expect(dead_code, reason = "dropped with the bytes")] Vec<Reserved>,
);

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Held {
    /// Keeps a reservation.
    pub(super) fn keep(&self, memory: Reserved) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(memory);
    }

    /// A body of these bytes. The reservations shrink to what the bytes need.
    pub(super) fn body(self, bytes: Bytes) -> Body {
        let mut all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let share = bytes.len().div_ceil(all.len().max(1));
        for memory in &mut all {
            memory.shrink_to(share);
        }
        Body::from(Bytes::from_owner(Sent(bytes, all)))
    }
}
