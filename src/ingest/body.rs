//! The third gate: reads the body, with limits on size, time and memory.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::Authorized;

/// Maximum time for which the rest of a refused body is read. After it the rest stays unread.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);

/// Reads bodies. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BodyReader {
    pub(super) limit: u32,
    /// One permit per byte of all bodies in memory.
    memory: Arc<Semaphore>,
    timeout: Duration,
}

/// Why a body was not read completely. Nothing of it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The body is larger than the limit.
    #[error("the body is over {0} bytes")]
    TooLarge(u32),
    /// The other bodies in memory leave no room for this one.
    #[error("the other bodies in memory leave no room for this one")]
    NoMemory,
    /// The body did not arrive in time.
    #[error("the body did not arrive in time")]
    Timeout,
    /// The connection was closed before the whole body arrived.
    #[error("the connection was closed before the whole body arrived")]
    Interrupted,
    /// The `Content-Encoding` is not supported.
    #[error("the Content-Encoding of the body is not gzip")]
    UnsupportedEncoding,
}

impl BodyReader {
    /// Creates a reader with its limits: bytes of one body, bytes of all bodies in memory, time for one body.
    #[must_use]
    pub fn new(limit: u32, memory: u32, timeout: Duration) -> Self {
        Self {
            limit,
            memory: Arc::new(Semaphore::new(memory as usize)),
            timeout,
        }
    }

    /// Reads the body of an authorized request. The bytes count towards the memory limit until their last
    /// clone is dropped, wherever that happens.
    pub async fn read(&self, _: Authorized, body: &mut Body) -> Result<Bytes, BodyError> {
        let deadline = Instant::now() + self.timeout;
        match body.size_hint().exact() {
            Some(length) => self.read_sized(body, length, deadline).await,
            None => self.read_chunked(body, deadline).await,
        }
    }

    /// Reads a body of known length. All of its memory is reserved before the first byte is read.
    async fn read_sized(
        &self,
        body: &mut Body,
        length: u64,
        deadline: Instant,
    ) -> Result<Bytes, BodyError> {
        let length = u32::try_from(length).map_err(|_| BodyError::TooLarge(self.limit))?;
        if length > self.limit {
            return Err(BodyError::TooLarge(self.limit));
        }
        let permit = self.reserve(length)?;
        let first = next(body, deadline).await?.unwrap_or_default();
        if first.len() == length as usize {
            return Ok(held(first, permit));
        }
        let mut bytes = BytesMut::with_capacity(length as usize);
        bytes.extend_from_slice(&first);
        while let Some(data) = next(body, deadline).await? {
            bytes.extend_from_slice(&data);
        }
        Ok(held(bytes, permit))
    }

    /// Reads a body of unknown length. Memory is reserved as the bytes arrive.
    async fn read_chunked(&self, body: &mut Body, deadline: Instant) -> Result<Bytes, BodyError> {
        let mut permit = self.reserve(0)?;
        let mut bytes = BytesMut::new();
        while let Some(data) = next(body, deadline).await? {
            if bytes.len() + data.len() > self.limit as usize {
                return Err(BodyError::TooLarge(self.limit));
            }
            let more = u32::try_from(data.len()).map_err(|_| BodyError::TooLarge(self.limit))?;
            permit.merge(self.reserve(more)?);
            bytes.extend_from_slice(&data);
        }
        Ok(held(bytes, permit))
    }

    /// Reads the rest of a refused body and discards it, with limits on time and bytes. Closing a connection
    /// over unread bytes resets it, and a client that is still writing, such as a proxy, would not see the
    /// response.
    pub fn discard(&self, mut body: Body) {
        if body.is_end_stream() {
            return;
        }
        let deadline = Instant::now() + DISCARD_TIMEOUT;
        // Twice the limit, because a body that is too large exceeds the limit itself.
        let mut left = 2 * self.limit as usize;
        tokio::spawn(async move {
            while let Ok(Some(data)) = next(&mut body, deadline).await {
                match left.checked_sub(data.len()) {
                    Some(less) => left = less,
                    None => return,
                }
            }
        });
    }

    pub(super) fn reserve(&self, bytes: u32) -> Result<OwnedSemaphorePermit, BodyError> {
        Arc::clone(&self.memory)
            .try_acquire_many_owned(bytes)
            .map_err(|_| BodyError::NoMemory)
    }
}

async fn next(body: &mut Body, deadline: Instant) -> Result<Option<Bytes>, BodyError> {
    loop {
        let frame = timeout_at(deadline, body.frame())
            .await
            .map_err(|_| BodyError::Timeout)?;
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(BodyError::Interrupted),
            Some(Ok(frame)) => {
                // Trailers are ignored.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// Ties the reservation to the bytes: it ends when they are dropped.
pub(super) fn held(
    bytes: impl AsRef<[u8]> + Send + 'static,
    permit: OwnedSemaphorePermit,
) -> Bytes {
    struct Held<B>(
        B,
        #[expect(dead_code, reason = "dropped with the bytes")] OwnedSemaphorePermit,
    );

    impl<B: AsRef<[u8]>> AsRef<[u8]> for Held<B> {
        fn as_ref(&self) -> &[u8] {
            self.0.as_ref()
        }
    }

    Bytes::from_owner(Held(bytes, permit))
}
