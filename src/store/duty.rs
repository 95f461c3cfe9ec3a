//! What one of several nodes does at a time. A node does it while it holds the duty's lease; a node that is alone always
//! does it.
//!
//! Whether the lease is held is decided by this process's own clock: the term ends before PostgreSQL lets another node
//! take the lease, also if this process was suspended meanwhile.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// What this process knows of a lease.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Lease {
    /// The current term of this node; `None` if another node has the lease, or none.
    pub(in crate::store) term: Option<(i64, Instant)>,
    /// The name of the node that had the lease last.
    pub(in crate::store) node: Option<Arc<str>>,
}

/// Something that one node does at a time. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Duty(Option<watch::Receiver<Lease>>);

/// A time during which this node has a duty. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Term {
    number: i64,
    lease: Option<watch::Receiver<Lease>>,
}

impl Duty {
    /// A duty of a node that is alone.
    #[must_use]
    pub fn alone() -> Self {
        Self(None)
    }

    pub(in crate::store) fn shared(lease: watch::Receiver<Lease>) -> Self {
        Self(Some(lease))
    }

    /// Whether there is no other node.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.0.is_none()
    }

    /// Whether this node has the duty now.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let lease = self.0.as_ref().map(|lease| lease.borrow().term);
        lease.is_none_or(|term| term.is_some_and(|(_, until)| Instant::now() < until))
    }

    /// The name of another node that had the duty when this one last looked.
    #[must_use]
    pub fn elsewhere(&self) -> Option<Arc<str>> {
        let lease = self.0.as_ref()?;
        let node = lease.borrow().node.clone();
        node.filter(|_| !self.is_held())
    }

    /// Waits until this node has the duty. If the node stops first, this never returns.
    pub async fn term(&self) -> Term {
        let Some(lease) = &self.0 else {
            let (number, lease) = (0, None);
            return Term { number, lease };
        };
        let mut changes = lease.clone();
        loop {
            let term = changes.borrow_and_update().term;
            if let Some((number, _)) = term.filter(|(_, until)| Instant::now() < *until) {
                let lease = Some(lease.clone());
                return Term { number, lease };
            }
            if changes.changed().await.is_err() {
                pending::<()>().await;
            }
        }
    }

    /// Does the work in each term from its start, and drops it at the end of the term. Work that ends by itself is not
    /// begun again in the same term.
    pub async fn during<W: Future<Output = ()>>(&self, mut work: impl FnMut() -> W) {
        if self.0.is_none() {
            return work().await;
        }
        loop {
            let term = self.term().await;
            term.guard(work()).await;
            term.ended().await;
        }
    }
}

impl Term {
    /// A number that grows with each term of any node.
    pub(in crate::store) fn number(&self) -> i64 {
        self.number
    }

    /// Whether it has not ended yet.
    #[must_use]
    pub fn is_running(&self) -> bool {
        let Some(lease) = &self.lease else {
            return true;
        };
        let term = lease.borrow().term;
        term.is_some_and(|(number, until)| number == self.number && Instant::now() < until)
    }

    /// Waits for the end.
    pub async fn ended(&self) {
        let Some(lease) = &self.lease else {
            return pending().await;
        };
        let mut renewals = lease.clone();
        while self.is_running() {
            let until = renewals.borrow_and_update().term.map(|(_, until)| until);
            let until = until.unwrap_or_else(Instant::now);
            tokio::select! {
                () = sleep_until(until) => {}
                renewed = renewals.changed() => if renewed.is_err() {
                    // Nobody renews it any more.
                    sleep_until(until).await;
                },
            }
        }
    }

    /// Does the work until it or the term ends: `None` if the term did. The clock is looked at before each step, so that
    /// a process that was suspended does not go on with what another node does by now.
    pub async fn guard<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let mut ended = pin!(self.ended());
        poll_fn(|context| {
            if !self.is_running() || ended.as_mut().poll(context).is_ready() {
                return Poll::Ready(None);
            }
            work.as_mut().poll(context).map(Some)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::watch;
    use tokio::time::{Instant, advance, sleep};

    use super::{Duty, Lease};

    fn held(number: i64, seconds: u64) -> Lease {
        Lease {
            term: Some((number, Instant::now() + Duration::from_secs(seconds))),
            node: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn term_ends_at_its_time_unless_it_is_renewed() {
        let (sender, lease) = watch::channel(held(1, 7));
        let duty = Duty::shared(lease);
        let term = duty.term().await;
        advance(Duration::from_secs(6)).await;
        assert!(term.is_running());
        sender.send_replace(held(1, 7));
        advance(Duration::from_secs(6)).await;
        assert!(term.is_running());
        let before = Instant::now();
        term.ended().await;
        assert!((1..=2).contains(&before.elapsed().as_secs()));
        assert!(!duty.is_held());
    }

    #[tokio::test(start_paused = true)]
    async fn later_term_does_not_bring_an_earlier_one_back() {
        let (sender, lease) = watch::channel(held(1, 7));
        let duty = Duty::shared(lease);
        let term = duty.term().await;
        sender.send_replace(held(2, 7));
        assert!(!term.is_running() && duty.is_held());
        term.ended().await;
    }

    #[tokio::test(start_paused = true)]
    async fn guarded_work_makes_no_step_after_the_term() {
        let (_sender, lease) = watch::channel(held(1, 7));
        let term = Duty::shared(lease).term().await;
        assert_eq!(term.guard(sleep(Duration::from_secs(6))).await, Some(()));
        assert_eq!(term.guard(sleep(Duration::from_secs(6))).await, None);
        let mut polled = false;
        assert_eq!(term.guard(async { polled = true }).await, None);
        assert!(!polled);
    }
}
