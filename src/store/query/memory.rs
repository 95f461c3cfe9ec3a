//! The memory that answers in flight may hold, all readers together.
//!
//! A page is reserved by its bytes before its bodies are read, and the reservation stays with the
//! bytes of the answer until they are written to the socket. A reader that does not read therefore
//! holds only its own share, and a reader that finds no room waits for a while and is then refused.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::store::error::ReadError;

/// Bytes up to which an answer is light. Light answers have a share of their own, so that a list of
/// messages does not queue behind large bodies.
const LIGHT_BYTES: usize = 1024 * 1024;

/// One in as many of all bytes is kept for light answers.
const LIGHT_SHARE: u32 = 4;

/// How long a reader waits for room before it is refused.
const PATIENCE: Duration = Duration::from_secs(5);

/// The budget. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AnswerMemory {
    light: Share,
    heavy: Share,
}

/// A part of the budget: one permit for each byte.
#[derive(Debug, Clone)]
struct Share {
    permits: Arc<Semaphore>,
    bytes: u32,
}

/// Bytes that are reserved. They are free again when this is dropped.
#[derive(Debug)]
pub struct Reserved(Option<OwnedSemaphorePermit>);

impl AnswerMemory {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(bytes: u32) -> Self {
        let light = bytes / LIGHT_SHARE;
        Self {
            light: Share::new(light),
            heavy: Share::new(bytes - light),
        }
    }

    /// Reserves `bytes`. An answer that is larger than its whole share gets all of the share: it is
    /// given, but nothing else of its kind beside it.
    ///
    /// # Errors
    ///
    /// There was no room in time.
    pub(super) async fn reserve(&self, bytes: usize) -> Result<Reserved, ReadError> {
        let share = if bytes <= LIGHT_BYTES {
            &self.light
        } else {
            &self.heavy
        };
        let wanted = u32::try_from(bytes).unwrap_or(u32::MAX).min(share.bytes);
        let permit = Arc::clone(&share.permits).acquire_many_owned(wanted);
        match timeout(PATIENCE, permit).await {
            Ok(Ok(permit)) => Ok(Reserved(Some(permit))),
            // The semaphore is never closed.
            Ok(Err(_)) | Err(_) => Err(ReadError::Busy),
        }
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
    /// No byte.
    pub(in crate::store) fn nothing() -> Self {
        Self(None)
    }

    /// Gives back everything but `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        if let Some(permit) = &mut self.0 {
            drop(permit.split(permit.num_permits().saturating_sub(bytes)));
        }
    }

    /// Keeps the reservation with the bytes until their last clone is gone.
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
    async fn full_budget_refuses_heavy_answers_and_still_serves_light_ones() {
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
    async fn answer_larger_than_its_share_is_given_alone() {
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
