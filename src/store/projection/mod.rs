//! What is derived from the events (a projection): made behind the commits by a thread of its own,
//! in a file of its own, up to a stored place. It answers what the events alone would answer too
//! slowly, and all of it can be made again.
//!
//! The file is not synced at each commit: what a power cut or a kill takes is derived again from
//! the events, beginning at the place that the file has.
//!
//! Nothing that happens to the file stops the server. One that cannot be used, that was changed by
//! somebody else or that is damaged is set aside and made anew, while lists say that they wait.

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

pub(crate) use derived::{Projection, Setback};
pub(super) use entity::EntityKind;
pub(crate) use file::{is_ahead, path_of};
pub(super) use find::key;
pub(super) use notify::{Notifier, NotifyReceiver};
pub(super) use projector::{BLOCK_EVENTS, Measure};
pub(super) use term::{TermKind, epoch, pair};
pub use words::{MAX_WORDS, Words, WordsError};

/// How far the projection is, to wait for it.
#[derive(Debug, Clone)]
pub struct Projected {
    seq: watch::Receiver<i64>,
    wanted: Arc<AtomicI64>,
    notifier: Notifier,
    state: Arc<State>,
}

/// What the thread and the readers of its file tell each other.
#[derive(Debug, Default)]
struct State {
    /// How often the file was made anew.
    generation: AtomicU64,
    /// It is being made anew.
    is_rebuilding: AtomicBool,
    /// A reader met something that is wrong, in this file or in the events.
    is_suspect: AtomicBool,
    /// The whole file was read, and something is wrong with it.
    is_damaged: AtomicBool,
    /// A page of the events cannot be read.
    are_events_damaged: AtomicBool,
}

impl Projected {
    /// Every event up to this one is projected.
    #[must_use]
    pub fn seq(&self) -> i64 {
        *self.seq.borrow()
    }

    /// Whether the file was lost or damaged, and is derived anew.
    #[must_use]
    pub fn is_rebuilding(&self) -> bool {
        self.state.is_rebuilding.load(Ordering::SeqCst)
    }

    /// Whether something in the file of the events cannot be read.
    #[must_use]
    pub fn are_events_damaged(&self) -> bool {
        self.state.are_events_damaged.load(Ordering::SeqCst)
    }

    /// How often the file was made anew: connections to an earlier one have to be closed.
    pub(super) fn generation(&self) -> u64 {
        self.state.generation.load(Ordering::SeqCst)
    }

    /// A reader of the file met damage: it is looked for, here or in the events.
    pub(super) fn suspect(&self) {
        self.state.is_suspect.store(true, Ordering::SeqCst);
        self.notifier.wake();
    }

    /// A reader of the events met damage.
    pub(super) fn events_are_damaged(&self, failure: &dyn std::fmt::Display) {
        self.state.tell_events_damaged(failure);
    }

    /// Waits until the event `seq` is projected. It may never be, where the projection has failed.
    pub async fn reach(&mut self, seq: i64) {
        if self.seq() >= seq {
            return;
        }
        self.wanted.fetch_max(seq, Ordering::Relaxed);
        self.notifier.wake();
        // An error means that it has stopped.
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
    fn tell_events_damaged(&self, failure: &dyn std::fmt::Display) {
        if !self.are_events_damaged.swap(true, Ordering::SeqCst) {
            error!(
                %failure,
                "some stored events cannot be read: {failure}\n  help: the file of the events is \
                 damaged, and notifications are still taken; save what is readable with \
                 `green-inbox export`, which lists what is not, look at the file with \
                 `sqlite3 FILE 'PRAGMA integrity_check'`, then put back a backup"
            );
        }
    }
}

/// The thread behind the projection.
#[derive(Debug)]
pub struct ProjectionThread(oneshot::Receiver<()>);

impl ProjectionThread {
    /// Waits until the thread has ended, which it does behind the writer.
    pub async fn ended(&mut self) {
        // An error means that it panicked.
        let _ = (&mut self.0).await;
    }
}

/// Opens the projection of the events that `lock` keeps and starts its thread.
pub(super) fn start(
    lock: Arc<Lock>,
    epoch: &str,
    commits: Commits,
    notifier: Notifier,
    receiver: NotifyReceiver,
) -> Result<(Projected, ProjectionThread), OpenError> {
    let projection = Projection::open(lock.path(), epoch)?;
    let state = Arc::new(State::default());
    look_through(lock.path(), notifier.clone(), Arc::clone(&state))?;
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
            // After the connections of the worker (see lock.rs).
            drop(lock);
            // Nobody may be waiting for it.
            let _ = end.send(());
        })
        .map_err(OpenError::Thread)?;
    let projected = Projected {
        seq,
        wanted,
        notifier,
        state,
    };
    Ok((projected, ProjectionThread(ended)))
}

/// Reads the whole file once, behind everything else: what was damaged while no server ran is not
/// noticed by its times.
fn look_through(database: &Path, notifier: Notifier, state: Arc<State>) -> Result<(), OpenError> {
    let database = database.to_owned();
    let look = move || {
        give_way();
        if file::check(&database).is_err() {
            state.is_damaged.store(true, Ordering::SeqCst);
            notifier.wake();
        }
    };
    let thread = thread::Builder::new().name("store-look".to_owned());
    thread.spawn(look).map(drop).map_err(OpenError::Thread)
}
