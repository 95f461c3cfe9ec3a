//! The memory budget for responses in flight, shared by all readers.
//!
//! A page reserves its bytes before its bodies are read, and the reservation stays with the bytes
//! of the response until they are written to the socket. A client that does not read its response
//! therefore holds only its own share. A reader that finds no room waits for a while and is then
//! refused.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::store::error::ReadError;

/// Bytes up to which a response is light. Light responses have a separate share of the budget, so
/// that a list of messages does not queue behind large bodies.
const LIGHT_BYTES: usize = 1024 * 1024;

/// Divisor of the budget: 1/4 of the bytes is reserved for light responses.
const LIGHT_SHARE: u32 = 4;

/// Maximum time that a reader waits for room; after it, the request is refused.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// The budget. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AnswerMemory {
    light: Share,
    heavy: Share,
}

/// A share of the budget, with one permit per byte.
#[derive(Debug, Clone)]
struct Share {
    permits: Arc<Semaphore>,
    bytes: u32,
}

/// A reservation of bytes. Dropping it frees them.
#[derive(Debug)]
pub struct Reserved(Option<OwnedSemaphorePermit>);

impl AnswerMemory {
    /// Creates a budget of `bytes`.
    #[must_use]
    pub fn new(bytes: u32) -> Self {
        let light = bytes / LIGHT_SHARE;
        Self {
            light: Share::new(light),
            heavy: Share::new(bytes - light),
        }
    }

    /// Reserves `bytes`. A response larger than its share takes the whole share: it is served, but
    /// no other of its kind at the same time.
    ///
    /// # Errors
    ///
    /// No room became free in time.
    pub(super) async fn reserve(&self, bytes: usize) -> Result<Reserved, ReadError> {
        let (share, wanted) = self.share(bytes);
        let permit = Arc::clone(&share.permits).acquire_many_owned(wanted);
        match timeout(MAX_WAIT, permit).await {
            Ok(Ok(permit)) => Ok(Reserved(Some(permit))),
            // The semaphore is never closed.
            Ok(Err(_)) | Err(_) => Err(ReadError::Busy),
        }
    }

    /// Reserves `bytes` if there is room at once.
    pub(super) fn try_reserve(&self, bytes: usize) -> Option<Reserved> {
        let (share, wanted) = self.share(bytes);
        let permit = Arc::clone(&share.permits).try_acquire_many_owned(wanted);
        permit.ok().map(|permit| Reserved(Some(permit)))
    }

    /// The share that a response of `bytes` uses, and how much of it.
    fn share(&self, bytes: usize) -> (&Share, u32) {
        let share = if bytes <= LIGHT_BYTES {
            &self.light
        } else {
            &self.heavy
        };
        (
            share,
            u32::try_from(bytes).unwrap_or(u32::MAX).min(share.bytes),
        )
    }
}

impl Share {
    fn new(bytes: u32) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(bytes as usize)),
            bytes,
        }
    }
}

impl Reserved {
    /// A reservation of no bytes.
    pub(in crate::store) fn nothing() -> Self {
        Self(None)
    }

    /// Frees all but `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        if let Some(permit) = &mut self.0 {
            drop(permit.split(permit.num_permits().saturating_sub(bytes)));
        }
    }

    /// Moves `bytes` of the reservation, or all of it if it has fewer, into a new reservation.
    #[must_use]
    pub(super) fn split(&mut self, bytes: usize) -> Self {
        let split =
            |permit: &mut OwnedSemaphorePermit| permit.split(bytes.min(permit.num_permits()));
        Self(self.0.as_mut().and_then(split))
    }

    /// Ties the reservation to the bytes until their last clone is dropped.
    #[must_use]
    pub fn hold(self, bytes: Vec<u8>) -> Bytes {
        struct Held(
            Vec<u8>,
            #[expect(dead_code, reason = "dropped with the bytes")] Reserved,
        );

        impl AsRef<[u8]> for Held {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        Bytes::from_owner(Held(bytes, self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[tokio::test(start_paused = true)]
    async fn full_budget_refuses_heavy_responses_and_still_serves_light_ones() {
        let memory = AnswerMemory::new(16 * 1024 * 1024);
        let mut first = memory.reserve(12 * MIB).await.unwrap();
        assert!(matches!(
            memory.reserve(2 * MIB).await,
            Err(ReadError::Busy)
        ));
        assert!(memory.reserve(MIB).await.is_ok());
        first.shrink_to(10 * MIB);
        assert!(memory.reserve(2 * MIB).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn response_larger_than_its_share_is_served_alone() {
        let memory = AnswerMemory::new(16 * 1024 * 1024);
        let all = memory.reserve(100 * MIB).await.unwrap();
        assert!(matches!(
            memory.reserve(2 * MIB).await,
            Err(ReadError::Busy)
        ));
        let bytes = all.hold(vec![1; 8]);
        let clone = bytes.clone();
        drop(bytes);
        assert!(matches!(
            memory.reserve(2 * MIB).await,
            Err(ReadError::Busy)
        ));
        drop(clone);
        assert!(memory.reserve(2 * MIB).await.is_ok());
    }
}
