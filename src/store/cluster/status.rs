//! What the node knows of PostgreSQL and of its own copy: for readers, health and metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use super::standby::Standbys;
use crate::store::commits::Commits;

/// How long a reader waits for the copy. The copy is usually some milliseconds behind.
const WAIT: Duration = Duration::from_secs(5);

/// Shared by the tasks of a node and its readers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct NodeStatus(Arc<State>);

#[derive(Debug)]
struct State {
    /// Whether notifications can be appended, as far as the node knows.
    can_append: AtomicBool,
    /// Whether events can be copied, as far as the node knows.
    can_copy: AtomicBool,
    /// The newest seq that this node has answered.
    acknowledged: AtomicI64,
    /// The newest change of a count of deliveries that this node has answered.
    acknowledged_changes: AtomicI64,
    /// The newest copied change of a count.
    changes: watch::Sender<i64>,
    /// The newest seq in PostgreSQL, and how many times it was read.
    head: watch::Sender<(i64, u64)>,
    /// Every event up to this seq is deleted from PostgreSQL.
    deleted: AtomicI64,
    /// When the copy had everything last, or when the node was opened.
    complete_at: Mutex<Instant>,
    /// The standbys; `None` while PostgreSQL is away.
    standbys: Mutex<Option<Standbys>>,
    /// The earlier epochs, and the last seq up to which each has the events of the current one.
    past_epochs: Mutex<BTreeMap<String, i64>>,
    /// Tells the copier that there are new events.
    poke: Notify,
    /// Tells the copier that a reader waits.
    wanted: Notify,
    commits: Commits,
}

/// Whether a seq that a reader has seen is in the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It is.
    Yes,
    /// PostgreSQL does not have it either.
    Never,
    /// The copy does not have it yet.
    NotYet,
}

impl NodeStatus {
    pub(in crate::store) fn new(commits: Commits, is_connected: bool) -> Self {
        Self(Arc::new(State {
            can_append: AtomicBool::new(is_connected),
            can_copy: AtomicBool::new(is_connected),
            acknowledged: AtomicI64::new(0),
            acknowledged_changes: AtomicI64::new(0),
            changes: watch::channel(0).0,
            head: watch::channel((0, 0)).0,
            deleted: AtomicI64::new(0),
            complete_at: Mutex::new(Instant::now()),
            standbys: Mutex::new(None),
            past_epochs: Mutex::default(),
            poke: Notify::new(),
            wanted: Notify::new(),
            commits,
        }))
    }

    /// The last seq up to which an earlier epoch has the same events as the current one, if that is known.
    #[must_use]
    pub fn last_common(&self, epoch: &str) -> Option<i64> {
        let past = self.0.past_epochs.lock();
        past.unwrap_or_else(PoisonError::into_inner)
            .get(epoch)
            .copied()
    }

    pub(in crate::store) fn set_past_epochs(&self, past: BTreeMap<String, i64>) {
        let known = self.0.past_epochs.lock();
        *known.unwrap_or_else(PoisonError::into_inner) = past;
    }

    /// Whether notifications can be stored and read.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.0.can_append.load(Ordering::SeqCst) && self.0.can_copy.load(Ordering::SeqCst)
    }

    /// Events in PostgreSQL that the copy does not have yet.
    #[must_use]
    pub fn lag(&self) -> i64 {
        (self.0.head.borrow().0 - self.0.commits.newest()).max(0)
    }

    /// How old the copy is: the time since it had everything that PostgreSQL has.
    #[must_use]
    pub fn age(&self) -> Duration {
        lock(&self.0.complete_at).elapsed()
    }

    /// The standbys of PostgreSQL, as it reported them last. `None` while it is away.
    #[must_use]
    pub fn standbys(&self) -> Option<Standbys> {
        *lock(&self.0.standbys)
    }

    /// Waits until the copy has every event and every duplicate that this node has answered. Does not wait while
    /// PostgreSQL is away.
    pub async fn caught_up(&self) {
        let seq = self.0.acknowledged.load(Ordering::SeqCst);
        let change = self.0.acknowledged_changes.load(Ordering::SeqCst);
        let (mut commits, mut changes) = (self.0.commits.clone(), self.0.changes.subscribe());
        let is_behind = seq > commits.newest() || change > *changes.borrow();
        if is_behind && self.0.can_copy.load(Ordering::SeqCst) {
            self.0.wanted.notify_one();
            let copied = async {
                commits.after(seq - 1).await;
                // The sender is in this struct.
                let _ = changes.wait_for(|copied| *copied >= change).await;
            };
            // After that, a list itself says what is missing.
            let _ = timeout(WAIT, copied).await;
        }
    }

    /// Waits for an event that a reader has seen, perhaps on another node.
    pub async fn reach(&self, seq: i64) -> Reached {
        let mut commits = self.0.commits.clone();
        let mut head = self.0.head.subscribe();
        let looked = head.borrow_and_update().1;
        let reached = timeout(WAIT, async {
            self.0.wanted.notify_one();
            // Two more looks: the first may have begun before this call.
            let is_beyond = head.wait_for(|(newest, looks)| *looks >= looked + 2 && *newest < seq);
            tokio::select! {
                () = commits.after(seq - 1) => Reached::Yes,
                Ok(_) = is_beyond => Reached::Never,
            }
        });
        reached.await.unwrap_or(Reached::NotYet)
    }

    pub(super) fn set_appending(&self, can_append: bool) {
        self.0.can_append.store(can_append, Ordering::SeqCst);
    }

    pub(super) fn set_copying(&self, can_copy: bool) {
        self.0.can_copy.store(can_copy, Ordering::SeqCst);
        if !can_copy {
            self.set_standbys(None);
        }
    }

    pub(super) fn set_standbys(&self, standbys: Option<Standbys>) {
        *lock(&self.0.standbys) = standbys;
    }

    /// The copy has everything that PostgreSQL had at this time.
    pub(super) fn completed(&self, at: Instant) {
        *lock(&self.0.complete_at) = at;
    }

    /// The node is about to answer requests up to `seq`, with counts of deliveries up to `change`.
    pub(in crate::store) fn acknowledge(&self, seq: i64, change: i64) {
        self.0.acknowledged.fetch_max(seq, Ordering::SeqCst);
        self.0
            .acknowledged_changes
            .fetch_max(change, Ordering::SeqCst);
        self.0.poke.notify_one();
    }

    /// The counts up to this change are copied.
    pub(super) fn copied_changes(&self, change: i64) {
        self.0.changes.send_replace(change);
    }

    /// Every event up to this seq is deleted from PostgreSQL, as far as the copier has seen.
    pub(in crate::store) fn deleted(&self) -> i64 {
        self.0.deleted.load(Ordering::SeqCst)
    }

    /// Events up to this seq are deleted from PostgreSQL. The copy has read everything that it needs of them.
    pub(super) fn set_deleted(&self, seq: i64) {
        self.0.deleted.fetch_max(seq, Ordering::SeqCst);
    }

    /// The newest seq in PostgreSQL was read.
    pub(in crate::store) fn looked(&self, newest: i64) {
        self.0
            .head
            .send_modify(|(head, looks)| (*head, *looks) = (newest, *looks + 1));
    }

    /// Waits until this node has answered a request.
    pub(super) async fn poked(&self) {
        self.0.poke.notified().await;
    }

    /// Waits until a reader wants the copy to be newer.
    pub(super) async fn wanted(&self) {
        self.0.wanted.notified().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
