//! Wakes readers that follow the events.

use std::future::pending;

use tokio::sync::watch;

/// The newest committed seq, published by the writer after each commit. It only wakes readers: what they
/// return is always read from the database.
#[derive(Debug, Clone)]
pub struct Commits(watch::Receiver<i64>);

impl Commits {
    /// A publisher, for the writer, and its receiver. `newest` is the newest seq at the start.
    pub(in crate::store) fn channel(newest: i64) -> (watch::Sender<i64>, Self) {
        let (sender, receiver) = watch::channel(newest);
        (sender, Self(receiver))
    }

    /// The newest committed seq.
    #[must_use]
    pub fn newest(&self) -> i64 {
        *self.0.borrow()
    }

    /// Whether the writer has stopped, so that no further commit can happen.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.has_changed().is_err()
    }

    /// Waits for a commit after `seq`.
    ///
    /// Once the writer has stopped, this never returns: a caller that would otherwise loop over an empty
    /// page must select it together with a deadline or the shutdown signal.
    pub async fn after(&mut self, seq: i64) {
        if self.0.wait_for(|newest| *newest > seq).await.is_err() {
            pending::<()>().await;
        }
    }
}
