//! The projection: messages, chats, calls, counters and search words derived from the events. Its
//! own thread writes it into its own file, after each event is committed, and records the last seq
//! it has projected. It answers queries that the events alone would answer too slowly, and it can
//! be rebuilt from them at any time.
//!
//! The file is not synced at each commit. Whatever a power cut or a kill takes from it is derived
//! again from the events, starting at the seq recorded in the file.
//!
//! Damage to the file never stops the server. A file that is unusable, damaged or changed by
//! another program is set aside and rebuilt; until then, lists answer that the projection is
//! rebuilding.

mod alias;
mod call;
mod chatless;
mod content;
mod dense;
mod derived;
mod entity;
mod evidence;
mod file;
mod find;
mod fold;
mod forget;
mod forgotten_account;
mod forgotten_entity;
mod forgotten_posting;
mod hidden;
mod merge;
pub(super) mod notify;
mod pace;
mod phone;
mod projector;
mod row;
mod seed;
mod slice;
mod statements;
mod term;
mod terms;
mod touched;
mod words;
mod worker;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread;

use tokio::sync::{oneshot, watch};
use tracing::error;

use crate::store::commits::Commits;
use crate::store::epoch::Epoch;
use crate::store::error::OpenError;
use crate::store::lock::Lock;
use crate::store::priority::give_way;
use crate::store::wal::WalBytes;
use worker::Worker;

pub(crate) use derived::{AdvanceError, Projection};
pub(super) use entity::EntityKind;
pub(crate) use file::{MAX_AHEAD, fitting, is_ahead, move_epoch, path_of};
pub(super) use find::key;
pub(super) use notify::{Notifier, NotifyReceiver};
pub(super) use projector::{BLOCK_EVENTS, HOUR, Measure};
pub(super) use term::{TermKind, epoch, pair};
pub use words::{MAX_WORDS, Words, WordsError};

/// The progress of the projection, and a way to wait for it.
#[derive(Debug, Clone)]
pub struct Projected {
    seq: watch::Receiver<i64>,
    wanted: Arc<AtomicI64>,
    forgotten: watch::Receiver<i64>,
    to_forget: Arc<AtomicI64>,
    notifier: Notifier,
    state: Arc<State>,
}

/// Flags shared by the projection thread and the readers of its file.
#[derive(Debug)]
struct State {
    /// The epoch of the database.
    epoch: Epoch,
    /// How many times the file has been rebuilt.
    generation: AtomicU64,
    /// The file is being rebuilt.
    is_rebuilding: AtomicBool,
    /// A reader hit an unreadable page, in this file or in the events.
    is_suspect: AtomicBool,
    /// A check of the whole file found damage.
    is_damaged: AtomicBool,
    /// A page of the events is unreadable.
    are_events_damaged: AtomicBool,
    /// Bytes inside the file that are free for new rows.
    free_bytes: AtomicU64,
    /// How many times the epoch was renewed before the file was created.
    renewals: AtomicU64,
}

impl Projected {
    /// The last projected seq: every event up to it is in the projection.
    #[must_use]
    pub fn seq(&self) -> i64 {
        *self.seq.borrow()
    }

    /// Whether the file was lost or damaged and is being rebuilt.
    #[must_use]
    pub fn is_rebuilding(&self) -> bool {
        self.state.is_rebuilding.load(Ordering::SeqCst) || self.state.is_of_old_epoch()
    }

    /// Whether a part of the database file is unreadable.
    #[must_use]
    pub fn are_events_damaged(&self) -> bool {
        self.state.are_events_damaged.load(Ordering::SeqCst)
    }

    /// How many times the file has been rebuilt. Connections to an earlier generation must be
    /// closed.
    pub(super) fn generation(&self) -> u64 {
        self.state.generation.load(Ordering::SeqCst)
    }

    /// Reports damage that a reader of the projection hit. The thread then checks whether the
    /// projection or the events are damaged.
    pub(super) fn suspect(&self) {
        self.state.is_suspect.store(true, Ordering::SeqCst);
        self.notifier.wake();
    }

    /// Reports damage that a reader of the events hit.
    pub(super) fn events_are_damaged(&self, failure: &dyn std::fmt::Display) {
        self.state.report_events_damaged(failure);
    }

    /// Bytes inside the file that are free for new rows.
    pub(super) fn free_bytes(&self) -> u64 {
        self.state.free_bytes.load(Ordering::Relaxed)
    }

    /// Makes the thread notice a changed budget.
    pub(super) fn wake(&self) {
        self.notifier.wake();
    }

    /// The last forgotten seq: no event up to it is in the projection.
    #[must_use]
    pub fn forgotten(&self) -> i64 {
        *self.forgotten.borrow()
    }

    /// Makes the projection forget every event up to `seq`, and waits until it has. The future never resolves if
    /// the projection thread has stopped.
    pub(super) async fn forget(&mut self, seq: i64) {
        self.to_forget.fetch_max(seq, Ordering::SeqCst);
        self.notifier.wake();
        let forgotten = self.forgotten.wait_for(|forgotten| *forgotten >= seq);
        // An error means that the projection thread has stopped.
        if forgotten.await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether the projection thread has ended, so that lists stay as they are.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.seq.has_changed().is_err()
    }

    /// Whether every event up to `seq` is projected as it was parsed last.
    #[must_use]
    pub fn has_reached(&self, seq: i64) -> bool {
        self.seq() >= seq && !self.state.is_of_old_epoch()
    }

    /// Waits until the event `seq` is projected. The future never resolves if the projection thread
    /// has stopped.
    pub async fn reach(&mut self, seq: i64) {
        if self.has_reached(seq) {
            return;
        }
        let state = Arc::clone(&self.state);
        let has_reached = |projected: &i64| *projected >= seq && !state.is_of_old_epoch();
        self.wanted.fetch_max(seq, Ordering::Relaxed);
        self.notifier.wake();
        // An error means that the projection thread has stopped.
        if self.seq.wait_for(has_reached).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl State {
    fn new(epoch: Epoch) -> Self {
        Self {
            renewals: AtomicU64::new(epoch.renewals()),
            epoch,
            generation: AtomicU64::new(0),
            is_rebuilding: AtomicBool::new(false),
            is_suspect: AtomicBool::new(false),
            is_damaged: AtomicBool::new(false),
            are_events_damaged: AtomicBool::new(false),
            free_bytes: AtomicU64::new(0),
        }
    }

    /// Whether the events were parsed again since the file was created.
    fn is_of_old_epoch(&self) -> bool {
        self.epoch.renewals() != self.renewals.load(Ordering::SeqCst)
    }

    fn report_events_damaged(&self, failure: &dyn std::fmt::Display) {
        if !self.are_events_damaged.swap(true, Ordering::SeqCst) {
            error!(
                %failure,
                "some stored events cannot be read: {failure}\n  help: the database file is damaged, \
                 but notifications are still accepted; save the readable events with `green-inbox \
                 export`, which lists the unreadable ones, check the file with \
                 `sqlite3 FILE 'PRAGMA integrity_check'`, then restore a backup"
            );
        }
    }
}

/// A handle to the projection thread.
#[derive(Debug)]
pub struct ProjectionThread {
    end: oneshot::Receiver<()>,
    has_ended: bool,
}

impl ProjectionThread {
    /// Waits until the thread has ended. It ends after the writer, or if it panics. May be called again.
    pub async fn ended(&mut self) {
        if !self.has_ended {
            // An error means that the thread panicked.
            let _ = (&mut self.end).await;
            self.has_ended = true;
        }
    }
}

/// Opens the projection of the database that `lock` protects, and starts the projection thread.
pub(super) fn start(
    lock: Arc<Lock>,
    epoch: Epoch,
    commits: Commits,
    notifier: Notifier,
    receiver: NotifyReceiver,
    wal: WalBytes,
) -> Result<(Projected, ProjectionThread), OpenError> {
    let projection = Projection::open(lock.path(), &epoch.name(), wal)?;
    let state = Arc::new(State::new(epoch));
    state
        .free_bytes
        .store(projection.free_bytes(), Ordering::Relaxed);
    check_whole_file(lock.path(), notifier.clone(), Arc::clone(&state))?;
    let (progress, seq) = watch::channel(projection.seq);
    let (forgetting, forgotten) = watch::channel(projection.forgotten);
    let wanted = Arc::new(AtomicI64::new(0));
    let to_forget = Arc::new(AtomicI64::new(0));
    let (end, ended) = oneshot::channel();
    let worker = Worker {
        projection,
        commits,
        receiver,
        wanted: Arc::clone(&wanted),
        progress,
        to_forget: Arc::clone(&to_forget),
        forgotten: forgetting,
        has_forgotten: false,
        gathering: None,
        state: Arc::clone(&state),
    };
    thread::Builder::new()
        .name("store-projection".to_owned())
        .spawn(move || {
            worker.run();
            // The lock must outlive the worker's connections (see lock.rs).
            drop(lock);
            // The receiver may be gone already.
            let _ = end.send(());
        })
        .map_err(OpenError::Thread)?;
    let projected = Projected {
        seq,
        wanted,
        forgotten,
        to_forget,
        notifier,
        state,
    };
    let thread = ProjectionThread {
        end: ended,
        has_ended: false,
    };
    Ok((projected, thread))
}

/// Checks the whole file once, on a low-priority thread. File times alone do not reveal damage that
/// happened while no server was running.
fn check_whole_file(
    database: &Path,
    notifier: Notifier,
    state: Arc<State>,
) -> Result<(), OpenError> {
    let database = database.to_owned();
    let check = move || {
        give_way();
        if file::check(&database).is_err() {
            state.is_damaged.store(true, Ordering::SeqCst);
            notifier.wake();
        }
    };
    let thread = thread::Builder::new().name("store-check".to_owned());
    thread.spawn(check).map(drop).map_err(OpenError::Thread)
}
