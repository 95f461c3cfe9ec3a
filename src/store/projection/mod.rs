//! What is derived from the events (a projection): made behind the commits by a thread of its own,
//! in a file of its own, up to a stored place. It answers what the events alone would answer too
//! slowly, and all of it can be made again.
//!
//! The file is not synced at each commit: what a power cut or a kill takes is derived again from
//! the events, beginning at the place that the file has.
//!
//! Nothing that happens to the file stops the server. One that cannot be used, that was changed by
//! somebody else or that is damaged is set aside and made anew, while lists say that they wait.

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

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};
use tracing::{error, info, warn};

use super::lock::Lock;
use super::priority::give_way;
use super::{Commits, OpenError};
use file::{Source, Stamp};
use pace::{Begun, Done};
use slice::Slice;

pub(crate) use file::{is_ahead, path_of};
pub(super) use projector::{Measure, SPAN_EVENTS};
pub(super) use subject::{SubjectKind, key};
pub(super) use term::{TermKind, epoch, pair};
pub use words::{MAX_WORDS, Words, WordsError};

/// What is waited after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// How often it is looked whether the file is still as it was left, where there is nothing to derive.
const CLOCK: Duration = Duration::from_millis(500);

/// Pages of the WAL after which it is checkpointed.
const CHECKPOINT_PAGES: i64 = 4000;

/// Behind by so many events, it tells how far it is.
const FAR_BEHIND: i64 = 100_000;

/// How far the projection is, to wait for it.
#[derive(Debug, Clone)]
pub struct Projected {
    seq: watch::Receiver<i64>,
    wanted: Arc<AtomicI64>,
    waker: Waker,
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
        self.waker.wake();
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

/// Opens the projection of the events that `lock` keeps and starts its thread.
pub(super) fn start(
    lock: Arc<Lock>,
    epoch: &str,
    commits: Commits,
    waker: Waker,
    ear: Ear,
) -> Result<(Projected, ProjectionThread), OpenError> {
    let projection = Projection::open(lock.path(), epoch)?;
    let state = Arc::new(State::default());
    look_through(lock.path(), waker.clone(), Arc::clone(&state))?;
    let (progress, seq) = watch::channel(projection.seq);
    let wanted = Arc::new(AtomicI64::new(0));
    let (end, ended) = oneshot::channel();
    let worker = Worker {
        projection,
        commits,
        ear,
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
        waker,
        state,
    };
    Ok((projected, ProjectionThread(ended)))
}

/// Reads the whole file once, behind everything else: what was damaged while no server ran is not
/// noticed by its times.
fn look_through(database: &Path, waker: Waker, state: Arc<State>) -> Result<(), OpenError> {
    let database = database.to_owned();
    let look = move || {
        give_way();
        if file::check(&database).is_err() {
            state.is_damaged.store(true, Ordering::SeqCst);
            waker.wake();
        }
    };
    let thread = thread::Builder::new().name("store-look".to_owned());
    thread.spawn(look).map(drop).map_err(OpenError::Thread)
}

/// The projection and the events that it is made of.
#[derive(Debug)]
pub(crate) struct Projection {
    source: Source,
    events: Connection,
    connection: Connection,
    /// What its own last write left behind.
    stamp: Stamp,
    seq: i64,
    /// Events that could not be read and were passed over.
    damaged: u64,
}

/// Why the projection did not advance.
#[derive(Debug)]
pub(crate) enum Setback {
    /// The file cannot be used any more.
    Lost(String),
    /// It may go on later.
    Passing(rusqlite::Error),
}

impl From<rusqlite::Error> for Setback {
    fn from(failure: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{
            CannotOpen, DatabaseCorrupt, NotADatabase, ReadOnly, SystemIoFailure,
        };
        match failure.sqlite_error_code() {
            Some(CannotOpen | DatabaseCorrupt | NotADatabase | ReadOnly | SystemIoFailure) => {
                Self::Lost(failure.to_string())
            }
            _ => Self::Passing(failure),
        }
    }
}

impl Projection {
    /// Opens it, made anew where it does not fit.
    pub(crate) fn open(database: &Path, epoch: &str) -> Result<Self, OpenError> {
        let source = Source {
            database: database.to_owned(),
            epoch: epoch.to_owned(),
        };
        let events = file::events(database)?;
        let connection = file::open(&source, &events)?;
        Self::of(source, events, connection)
    }

    fn of(source: Source, events: Connection, connection: Connection) -> Result<Self, OpenError> {
        connection.set_prepared_statement_cache_capacity(64);
        let seq =
            connection.query_row("SELECT seq FROM progress", [], |row| row.get::<_, i64>(0))?;
        Ok(Self {
            stamp: Stamp::of(&source.database),
            source,
            events,
            connection,
            seq,
            damaged: 0,
        })
    }

    /// Begins anew with another file.
    fn replace(&mut self) -> Result<(), OpenError> {
        let events = file::events(&self.source.database)?;
        let connection = file::replace(&self.source)?;
        *self = Self::of(self.source.clone(), events, connection)?;
        Ok(())
    }

    /// Takes the file of the projection of the events at `database` away.
    pub(crate) fn remove(database: &Path) -> Result<(), OpenError> {
        file::remove(database)
    }

    /// How far it is.
    pub(crate) fn seq(&self) -> i64 {
        self.seq
    }

    /// Whether the file is as its own last write left it.
    fn check_untouched(&self) -> Result<(), Setback> {
        if Stamp::of(&self.source.database) == self.stamp {
            Ok(())
        } else {
            let problem = "it was removed, replaced or changed by another program";
            Err(Setback::Lost(problem.to_owned()))
        }
    }

    /// Projects some of the events behind its place. `false` if there are none.
    pub(crate) fn advance(&mut self) -> Result<bool, Setback> {
        self.check_untouched()?;
        // What is wrong with the events is not the fault of this file.
        let slice = Slice::read(&self.events, self.seq).map_err(Setback::Passing)?;
        let Some(slice) = slice else {
            return Ok(false);
        };
        let (last, damaged) = (slice.last(), slice.damaged);
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        slice.project(&transaction, &self.events)?;
        transaction.commit()?;
        self.seq = last;
        self.damaged += damaged;
        self.checkpoint()?;
        Ok(true)
    }

    /// Moves the WAL into the file where it is long enough. Between checkpoints the file itself does
    /// not change.
    fn checkpoint(&mut self) -> Result<(), Setback> {
        let database = &self.source.database;
        let after_commit = Stamp::of(database);
        if !after_commit.has_same_main_file(&self.stamp) {
            return self.check_untouched();
        }
        self.stamp = after_commit;
        // The first only says how much there is.
        let waiting = self.checkpoint_as("PRAGMA wal_checkpoint(NOOP)")?;
        if waiting >= CHECKPOINT_PAGES {
            self.checkpoint_as("PRAGMA wal_checkpoint(PASSIVE)")?;
            self.stamp = Stamp::of(database);
        }
        Ok(())
    }

    /// Runs a checkpoint: how many pages of the WAL are not in the file yet.
    fn checkpoint_as(&self, pragma: &str) -> rusqlite::Result<i64> {
        let mut statement = self.connection.prepare_cached(pragma)?;
        statement.query_row([], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?))
    }
}

struct Worker {
    projection: Projection,
    commits: Commits,
    ear: Ear,
    wanted: Arc<AtomicI64>,
    progress: watch::Sender<i64>,
    state: Arc<State>,
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
            if let Err(problem) = self.look() {
                if self.heal(&problem).is_err() {
                    return;
                }
                told = false;
            } else if self.commits.newest() > self.projection.seq {
                let (derived, newest) = self.last();
                let begun = Begun::new(Instant::now(), derived, newest);
                match self.projection.advance() {
                    Ok(_) => {
                        if self.projection.damaged > 0 {
                            let damaged = self.projection.damaged;
                            let told = format!("{damaged} events are passed over in lists");
                            self.state.tell_events_damaged(&told);
                        }
                        self.progress.send_replace(self.projection.seq);
                        let (derived, newest) = self.last();
                        self.gather(begun.done(Instant::now(), derived, newest));
                    }
                    Err(Setback::Lost(problem)) => {
                        if self.heal(&problem).is_err() {
                            return;
                        }
                        told = false;
                    }
                    Err(Setback::Passing(failure)) => {
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
                self.state.is_rebuilding.store(false, Ordering::SeqCst);
                if !told {
                    told = true;
                    info!("messages, chats and calls are derived up to the newest event");
                }
                // Where nobody is left to wake it, the writer has ended.
                let woken = self.ear.calls.recv_timeout(CLOCK);
                if woken == Err(RecvTimeoutError::Disconnected) && !self.commits.is_stopped() {
                    return;
                }
            }
        }
    }

    /// Whether the file can go on to be used.
    fn look(&self) -> Result<(), String> {
        if self.state.is_damaged.swap(false, Ordering::SeqCst) {
            return Err("its structure is damaged".to_owned());
        }
        if self.state.is_suspect.swap(false, Ordering::SeqCst) {
            file::check(&self.projection.source.database)?;
            // It is whole, so what the reader met is in the events.
            self.state
                .tell_events_damaged(&"a list met a page that cannot be read");
        }
        match self.projection.check_untouched() {
            Err(Setback::Lost(problem)) => Err(problem),
            Err(Setback::Passing(_)) | Ok(()) => Ok(()),
        }
    }

    /// Makes the file anew, however long that takes.
    ///
    /// # Errors
    ///
    /// The program stops.
    fn heal(&mut self, problem: &str) -> Result<(), ()> {
        let path = path_of(&self.projection.source.database);
        error!(
            problem,
            "`{}` cannot be used: {problem}; it is set aside, and messages, chats and calls are \
             derived anew; events are not affected",
            path.display()
        );
        self.state.is_rebuilding.store(true, Ordering::SeqCst);
        self.progress.send_replace(0);
        let mut is_told = false;
        while let Err(failure) = self.projection.replace() {
            if self.commits.is_stopped() {
                return Err(());
            }
            if !is_told {
                is_told = true;
                error!(
                    %failure,
                    "what is derived from the events cannot be made anew: {failure}\n  help: make \
                     the folder writable for the user that runs the program; it is tried again \
                     each second"
                );
            }
            thread::sleep(PAUSE);
        }
        self.state.generation.fetch_add(1, Ordering::SeqCst);
        Ok(())
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
