//! What is derived from the events (a projection): made behind the commits by a thread of its own,
//! in a file of its own, up to a stored place. It answers what the events alone would answer too
//! slowly, and all of it can be made again.
//!
//! The file is not synced at each commit: what a power cut or a kill takes is derived again from
//! the events, beginning at the place that the file has.

mod file;
mod merge;
mod pace;
mod projector;
mod row;
mod slice;
mod subject;
mod term;
mod terms;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::{oneshot, watch};
use tracing::{error, info, warn};

use super::priority::give_way;
use super::{Commits, OpenError};
use pace::{Begun, Done};
use slice::Slice;

pub(crate) use file::path_of;
pub(super) use projector::{Measure, SPAN_EVENTS};
pub(super) use subject::{SubjectKind, key};
pub(super) use term::{TermKind, epoch, pair};
pub use words::{MAX_WORDS, Words, WordsError};

/// What is waited after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Behind by so many events, it tells how far it is.
const FAR_BEHIND: i64 = 100_000;

/// How far the projection is, to wait for it.
#[derive(Debug, Clone)]
pub struct Projected {
    seq: watch::Receiver<i64>,
    wanted: Arc<AtomicI64>,
    waker: Waker,
}

impl Projected {
    /// Every event up to this one is projected.
    #[must_use]
    pub fn seq(&self) -> i64 {
        *self.seq.borrow()
    }

    /// Waits until the event `seq` is projected. It may never be, where the projection has failed.
    pub async fn reach(&mut self, seq: i64) {
        if self.seq() >= seq {
            return;
        }
        self.wanted.fetch_max(seq, Ordering::Relaxed);
        self.waker.wake();
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

/// Wakes the thread.
#[derive(Debug, Clone)]
pub(super) struct Waker {
    call: SyncSender<()>,
    gathers: Arc<AtomicBool>,
}

impl Waker {
    /// Says that there is something to do. What is said twice before it is heard is heard once.
    pub(super) fn wake(&self) {
        let _ = self.call.try_send(());
    }

    /// Says that more is committed, unless the thread waits for more anyway: to wake it would take
    /// the processor from whoever is answered now.
    pub(super) fn committed(&self) {
        if !self.gathers.load(Ordering::SeqCst) {
            self.wake();
        }
    }
}

/// What the thread hears.
#[derive(Debug)]
pub(super) struct Ear {
    calls: Receiver<()>,
    gathers: Arc<AtomicBool>,
}

/// A waker and what hears it.
pub(super) fn waker() -> (Waker, Ear) {
    let (call, calls) = sync_channel(1);
    let gathers = Arc::new(AtomicBool::new(false));
    let waker = Waker {
        call,
        gathers: Arc::clone(&gathers),
    };
    (waker, Ear { calls, gathers })
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

/// Opens the projection of the events at `database` and starts its thread.
pub(super) fn start(
    database: &Path,
    commits: Commits,
    waker: Waker,
    ear: Ear,
) -> Result<(Projected, ProjectionThread), OpenError> {
    let projection = Projection::open(database)?;
    let (progress, seq) = watch::channel(projection.seq);
    let wanted = Arc::new(AtomicI64::new(0));
    let (end, ended) = oneshot::channel();
    let worker = Worker {
        projection,
        commits,
        ear,
        wanted: Arc::clone(&wanted),
        progress,
    };
    thread::Builder::new()
        .name("store-projection".to_owned())
        .spawn(move || {
            worker.run();
            // Nobody may be waiting for it.
            let _ = end.send(());
        })
        .map_err(OpenError::Thread)?;
    let projected = Projected { seq, wanted, waker };
    Ok((projected, ProjectionThread(ended)))
}

/// The projection and the events that it is made of.
#[derive(Debug)]
pub(crate) struct Projection {
    path: PathBuf,
    events: Connection,
    connection: Connection,
    seq: i64,
}

impl Projection {
    /// Opens it, made anew where it does not fit.
    pub(crate) fn open(database: &Path) -> Result<Self, OpenError> {
        let events = file::events(database)?;
        let connection = file::open(database, &events)?;
        connection.set_prepared_statement_cache_capacity(64);
        let seq =
            connection.query_row("SELECT seq FROM progress", [], |row| row.get::<_, i64>(0))?;
        Ok(Self {
            path: path_of(database),
            events,
            connection,
            seq,
        })
    }

    /// Takes the file of the projection of the events at `database` away.
    pub(crate) fn remove(database: &Path) -> Result<(), OpenError> {
        file::remove(database)
    }

    /// How far it is.
    pub(crate) fn seq(&self) -> i64 {
        self.seq
    }

    /// Projects some of the events behind its place. `false` if there are none.
    pub(crate) fn advance(&mut self) -> rusqlite::Result<bool> {
        let Some(slice) = Slice::read(&self.events, self.seq)? else {
            return Ok(false);
        };
        let last = slice.last();
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let stored = transaction.query_row("SELECT seq FROM progress", [], |row| row.get(0))?;
        if self.seq != stored {
            // The thread of a store that was opened before is still at it.
            self.seq = stored;
            return Ok(true);
        }
        slice.project(&transaction, &self.events)?;
        transaction.commit()?;
        self.seq = last;
        Ok(true)
    }
}

struct Worker {
    projection: Projection,
    commits: Commits,
    ear: Ear,
    wanted: Arc<AtomicI64>,
    progress: watch::Sender<i64>,
}

impl Worker {
    fn run(mut self) {
        give_way();
        let behind = self.commits.newest() - self.projection.seq;
        if behind > FAR_BEHIND {
            info!(
                events = behind,
                "deriving messages, chats and calls from {behind} events; lists wait for it"
            );
        }
        let mut told = behind <= FAR_BEHIND;
        loop {
            let stopped = self.commits.is_stopped();
            if self.commits.newest() > self.projection.seq {
                let (derived, newest) = self.last();
                let begun = Begun::new(Instant::now(), derived, newest);
                match self.projection.advance() {
                    Ok(_) => {
                        self.progress.send_replace(self.projection.seq);
                        let (derived, newest) = self.last();
                        self.gather(begun.done(Instant::now(), derived, newest));
                    }
                    Err(failure) if is_lost(&failure) => {
                        error!(
                            %failure,
                            "`{}` cannot be used any more; stop the server, delete the file, and it is derived again",
                            self.projection.path.display()
                        );
                        return;
                    }
                    Err(failure) => {
                        warn!(%failure, "what is derived from the events is behind; trying again");
                        if stopped {
                            return;
                        }
                        thread::sleep(PAUSE);
                    }
                }
            } else if stopped {
                return;
            } else {
                if !told {
                    told = true;
                    info!("messages, chats and calls are derived up to the newest event");
                }
                // Where nobody is left to wake it, the writer has ended.
                if self.ear.calls.recv().is_err() && !self.commits.is_stopped() {
                    return;
                }
            }
        }
    }

    /// The last event that is derived and the last one that is committed.
    fn last(&self) -> (i64, i64) {
        (self.projection.seq, self.commits.newest())
    }

    /// Lets events gather until the next slice is due, somebody waits, or no more will come.
    fn gather(&self, done: Done) {
        self.ear.gathers.store(true, Ordering::SeqCst);
        while self.wanted.load(Ordering::Relaxed) <= self.projection.seq
            && !self.commits.is_stopped()
        {
            let left = done
                .next(self.commits.newest())
                .saturating_duration_since(Instant::now());
            if left.is_zero() || self.ear.calls.recv_timeout(left) == Err(RecvTimeoutError::Timeout)
            {
                break;
            }
        }
        // What is committed from here on calls; what was before, is seen by who looks after this.
        self.ear.gathers.store(false, Ordering::SeqCst);
    }
}

/// Whether the file is beyond use.
fn is_lost(failure: &rusqlite::Error) -> bool {
    matches!(
        failure.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}
