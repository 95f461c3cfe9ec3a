//! The third gate: the bytes, within bounds of size, time and memory.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::Authorized;

/// How long a refused body is read on.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);

/// Reads bodies. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BodyReader {
    pub(super) limit: u32,
    /// One permit a byte of all bodies that are in memory.
    memory: Arc<Semaphore>,
    timeout: Duration,
}

/// Why a body was not read to its end. Nothing of it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It has more bytes than are taken.
    #[error("the body is over {0} bytes")]
    TooLarge(u32),
    /// The bodies in memory leave no room for it.
    #[error("the bodies in memory leave no room for this one")]
    NoMemory,
    /// It did not arrive in time.
    #[error("the body did not arrive in time")]
    Timeout,
    /// The connection ended within it.
    #[error("the connection was closed before the whole body arrived")]
    Interrupted,
    /// Its `Content-Encoding` is none that is decoded.
    #[error("the Content-Encoding of the body is not gzip")]
    UnsupportedEncoding,
}

impl BodyReader {
    /// Bounds: bytes of one body, bytes of all bodies in memory, time for one body.
    #[must_use]
    pub fn new(limit: u32, memory: u32, timeout: Duration) -> Self {
        Self {
            limit,
            memory: Arc::new(Semaphore::new(memory as usize)),
            timeout,
        }
    }

    /// Reads the body of an admitted request. The bytes count as in memory until the last clone of
    /// them is gone, wherever that is.
    pub async fn read(&self, _: Authorized, body: &mut Body) -> Result<Bytes, BodyError> {
        let deadline = Instant::now() + self.timeout;
        match body.size_hint().exact() {
            Some(length) => self.read_sized(body, length, deadline).await,
            None => self.read_chunked(body, deadline).await,
        }
    }

    /// The length is known, so its memory is reserved before a byte is read.
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

    /// The length is not known, so memory is reserved as the bytes come.
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

    /// Reads on what is left of a refused body and forgets it, for a while and not without end:
    /// a connection that is closed over unread bytes is reset, and whoever still writes to it,
    /// as a proxy does, would not see the answer.
    pub fn discard(&self, mut body: Body) {
        if body.is_end_stream() {
            return;
        }
        let deadline = Instant::now() + DISCARD_TIMEOUT;
        // One that is too large has more than the limit by itself.
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
                // Trailers say nothing that is wanted.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// Binds the reserved memory to the bytes.
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
