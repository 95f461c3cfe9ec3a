//! A stream that drops slow readers. A peer that leaves a response unread for too long is disconnected, so
//! it cannot hold the response's memory, the connection and its descriptor forever.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// Time that the peer may take to read pending bytes, before [`LEAST_RATE`] applies.
const GRACE: Duration = Duration::from_secs(30);

/// Bytes per second that the peer must read after [`GRACE`], until nothing is pending. A slower peer is
/// disconnected.
const LEAST_RATE: u64 = 64 * 1024;

/// A stream with a deadline for its reader.
#[derive(Debug)]
pub(super) struct Paced<S> {
    stream: S,
    stall: Option<Stall>,
}

/// A period in which bytes are pending for the peer.
#[derive(Debug)]
struct Stall {
    since: Instant,
    /// Bytes that the peer has read since.
    taken: u64,
    deadline: Pin<Box<Sleep>>,
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            stall: None,
        }
    }

    /// Checks the outcome of a write. A stall begins with the first write that would block, and each byte
    /// that the peer reads extends the deadline.
    fn watch(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match (&written, &mut self.stall) {
            (Poll::Ready(_), None) => return written,
            (Poll::Ready(Ok(bytes)), Some(stall)) => stall.take(*bytes),
            (Poll::Ready(Err(_)), Some(_)) => {}
            (Poll::Pending, stall) => {
                stall.get_or_insert_with(Stall::begin);
            }
        }
        let is_late = self
            .stall
            .as_mut()
            .is_some_and(|stall| stall.deadline.as_mut().poll(context).is_ready());
        if is_late {
            return Poll::Ready(Err(io::Error::new(
                ErrorKind::TimedOut,
                "the peer does not read its response",
            )));
        }
        written
    }
}

impl Stall {
    fn begin() -> Self {
        let since = Instant::now();
        Self {
            since,
            taken: 0,
            deadline: Box::pin(sleep_until(since + GRACE)),
        }
    }

    fn take(&mut self, bytes: usize) {
        self.taken += bytes as u64;
        let earned = Duration::from_secs(self.taken / LEAST_RATE);
        self.deadline.as_mut().reset(self.since + GRACE + earned);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Ends the stall: hyper flushes after it has written everything, so nothing is pending.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stall = None;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::sleep;

    use super::*;

    const BUFFER: usize = 64 * 1024;

    fn pair() -> (Paced<DuplexStream>, DuplexStream) {
        let (near, far) = duplex(BUFFER);
        (Paced::new(near), far)
    }

    #[tokio::test(start_paused = true)]
    async fn peer_that_does_not_read_is_disconnected_after_the_grace_period() {
        let (mut stream, _far) = pair();
        let start = Instant::now();
        let failure = stream.write_all(&vec![0; 2 * BUFFER]).await.unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), GRACE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn peer_that_reads_too_slowly_is_disconnected() {
        let (mut stream, mut far) = pair();
        tokio::spawn(async move {
            let mut byte = [0];
            while far.read_exact(&mut byte).await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        });
        let failure = stream.write_all(&vec![0; 2 * BUFFER]).await.unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn peer_that_reads_fast_enough_gets_everything() {
        let (mut stream, mut far) = pair();
        let reader = tokio::spawn(async move {
            let (mut total, mut bytes) = (0, vec![0; BUFFER]);
            loop {
                let read = far.read(&mut bytes).await.unwrap();
                if read == 0 {
                    return total;
                }
                total += read;
                sleep(Duration::from_millis(900)).await;
            }
        });
        stream.write_all(&vec![0; 100 * BUFFER]).await.unwrap();
        stream.flush().await.unwrap();
        drop(stream);
        assert_eq!(reader.await.unwrap(), 100 * BUFFER);
    }

    #[tokio::test(start_paused = true)]
    async fn flushed_stream_may_stay_idle_for_hours() {
        let (mut stream, mut far) = pair();
        for _ in 0..3 {
            stream.write_all(&vec![0; BUFFER]).await.unwrap();
            stream.flush().await.unwrap();
            sleep(Duration::from_hours(2)).await;
            far.read_exact(&mut vec![0; BUFFER]).await.unwrap();
        }
    }
}
