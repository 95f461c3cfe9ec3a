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
mod file;
mod find;
mod fold;
mod hidden;
mod merge;
pub(super) mod notify;
mod pace;
mod phone;
mod projector;
mod row;
mod slice;
mod statements;
mod term;
mod terms;
mod words;
mod worker;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread;

use tokio::sync::{oneshot, watch};
use tracing::error;

use crate::store::commits::Commits;
use crate::store::error::OpenError;
use crate::store::lock::Lock;
use crate::store::priority::give_way;
use worker::Worker;

pub(crate) use derived::{AdvanceError, Projection};
pub(super) use entity::EntityKind;
pub(crate) use file::{is_ahead, path_of};
pub(super) use find::key;
pub(super) use notify::{Notifier, NotifyReceiver};
pub(super) use projector::{BLOCK_EVENTS, Measure};
pub(super) use term::{TermKind, epoch, pair};
pub use words::{MAX_WORDS, Words, WordsError};

/// The progress of the projection, and a way to wait for it.
#[derive(Debug, Clone)]
pub struct Projected {
    seq: watch::Receiver<i64>,
    wanted: Arc<AtomicI64>,
    notifier: Notifier,
    state: Arc<State>,
}

/// Flags shared by the projection thread and the readers of its file.
#[derive(Debug, Default)]
struct State {
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
        self.state.is_rebuilding.load(Ordering::SeqCst)
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

    /// Whether the projection thread has ended, so that lists stay as they are.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.seq.has_changed().is_err()
    }

    /// Waits until the event `seq` is projected. The future never resolves if the projection thread
    /// has stopped.
    pub async fn reach(&mut self, seq: i64) {
        if self.seq() >= seq {
            return;
        }
        self.wanted.fetch_max(seq, Ordering::Relaxed);
        self.notifier.wake();
        // An error means that the projection thread has stopped.
        if self
            .seq
            .wait_for(|projected| *projected >= seq)
            .await
            .is_err()
        {
            std::future::pending::<()>().await;
        }
    }
}

impl State {
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
    epoch: &str,
    commits: Commits,
    notifier: Notifier,
    receiver: NotifyReceiver,
) -> Result<(Projected, ProjectionThread), OpenError> {
    let projection = Projection::open(lock.path(), epoch)?;
    let state = Arc::new(State::default());
    check_whole_file(lock.path(), notifier.clone(), Arc::clone(&state))?;
    let (progress, seq) = watch::channel(projection.seq);
    let wanted = Arc::new(AtomicI64::new(0));
    let (end, ended) = oneshot::channel();
    let worker = Worker {
        projection,
        commits,
        receiver,
        wanted: Arc::clone(&wanted),
        progress,
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
