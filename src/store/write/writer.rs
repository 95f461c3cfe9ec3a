//! Group commit: one thread takes what is waiting, commits it as one transaction, and only then
//! answers each request. There is no timer, since the running commit is the window in which the
//! next batch gathers.
//!
//! The thread holds a connection of its own and prepared statements: awaiting each statement
//! through an async client costs more than the statement (ARCHITECTURE.md has the figures).

use std::cell::Cell;
use std::thread;

use rusqlite::{Connection, ErrorCode, ffi};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, warn};

use super::checkpoint::Checkpoints;
use super::dedup::DedupIndex;
use super::transaction::Transaction;
use super::watch::{self, Watch};
use crate::store::commits::Commits;
use crate::store::error::{OpenError, Unavailable};
use crate::store::event::{Appended, NewEvent};
use crate::store::projection::Notifier;

/// Notifications in one transaction, at most.
const MAX_BATCH: usize = 512;

/// Appends notifications. Cheap to clone; when the last clone is gone the thread commits what is
/// waiting and ends.
#[derive(Debug, Clone)]
pub struct Writer {
    queue: mpsc::Sender<Pending>,
}

#[derive(Debug)]
struct Pending {
    event: NewEvent,
    answer: oneshot::Sender<Result<Appended, Unavailable>>,
}

impl Writer {
    /// Stores a notification; when this returns `Ok`, its commit has returned and it is on disk.
    ///
    /// # Errors
    ///
    /// Nothing was promised: too much is waiting, the writer has stopped, or the commit failed.
    /// (After a failed commit the notification may be there all the same; when it comes again it
    /// is found as a repeat.)
    pub async fn append(&self, event: NewEvent) -> Result<Appended, Unavailable> {
        let (answer, answered) = oneshot::channel();
        self.queue
            .try_send(Pending { event, answer })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => Unavailable::Full,
                mpsc::error::TrySendError::Closed(_) => Unavailable::Stopped,
            })?;
        answered.await.unwrap_or(Err(Unavailable::Stopped))
    }
}

/// How the thread ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriterEnd {
    /// Every [`Writer`] was dropped, and what was waiting is committed.
    Drained,
    /// The disk or the file failed in a way after which its pages cannot be trusted.
    Failed(String),
    /// The thread panicked.
    Panicked,
}

/// The thread behind the writer.
#[derive(Debug)]
pub struct WriterThread {
    end: oneshot::Receiver<WriterEnd>,
    /// Says that the file is gone while the thread may wait for notifications.
    lost: oneshot::Receiver<String>,
    _clock: watch::Clock,
}

impl WriterThread {
    /// Waits until the thread has ended, or until it must not go on.
    pub async fn ended(&mut self) -> WriterEnd {
        tokio::select! {
            end = &mut self.end => end.unwrap_or(WriterEnd::Panicked),
            Ok(problem) = &mut self.lost => WriterEnd::Failed(problem),
        }
    }
}

/// Starts the thread. It wakes `follower` after each commit and at its end.
pub(in crate::store) fn start(
    connection: Connection,
    newest: i64,
    max_waiting: usize,
    checkpoints: Checkpoints,
    watch: Watch,
    follower: Notifier,
) -> Result<(Writer, Commits, WriterThread), OpenError> {
    let dedup = DedupIndex::read(&connection, newest)?;
    let (queue, waiting) = mpsc::channel(max_waiting);
    let (newest, commits) = Commits::channel(newest);
    let (end, ended) = oneshot::channel();
    let (clock, lost) = watch.start()?;
    let batches = Batches {
        connection,
        dedup,
        newest,
        watch,
        follower: follower.clone(),
    };
    thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || {
            let how = batches.run(waiting, checkpoints);
            follower.wake();
            // Nobody may be waiting for it.
            let _ = end.send(how);
        })
        .map_err(OpenError::Thread)?;
    let thread = WriterThread {
        end: ended,
        lost,
        _clock: clock,
    };
    Ok((Writer { queue }, commits, thread))
}

thread_local! {
    /// Pages of the log after the last commit of this thread, as SQLite said.
    static LOG_PAGES: Cell<i32> = const { Cell::new(0) };
}

struct Batches {
    connection: Connection,
    dedup: DedupIndex,
    newest: tokio::sync::watch::Sender<i64>,
    watch: Watch,
    /// What is derived from the events.
    follower: Notifier,
}

/// A failure after which the file cannot be trusted.
struct Broken(String);

impl Batches {
    fn run(
        mut self,
        mut waiting: mpsc::Receiver<Pending>,
        mut checkpoints: Checkpoints,
    ) -> WriterEnd {
        self.connection.wal_hook(Some(|_, pages| {
            LOG_PAGES.set(pages);
            Ok(())
        }));
        let mut batch = Vec::with_capacity(MAX_BATCH);
        while waiting.blocking_recv_many(&mut batch, MAX_BATCH) > 0 {
            let done = self.in_place().and_then(|()| {
                self.store(&mut batch)?;
                let moved = checkpoints.after_commit(&self.connection, LOG_PAGES.get());
                self.checked(moved)
            });
            if let Err(broken) = done {
                return self.end(broken);
            }
        }
        // Before it is said that all is on disk, it is looked whether the disk still has it.
        let last = self
            .watch
            .check()
            .map_err(Broken)
            .and_then(|()| self.checked(checkpoints.last(&self.connection)));
        match last {
            Ok(()) => WriterEnd::Drained,
            Err(broken) => self.end(broken),
        }
    }

    /// Whether the database is still where it was, as far as is known.
    fn in_place(&self) -> Result<(), Broken> {
        match self.watch.lost() {
            None => Ok(()),
            Some(problem) => Err(Broken(problem.to_owned())),
        }
    }

    fn end(self, Broken(problem): Broken) -> WriterEnd {
        error!(problem, "the database cannot be trusted any more; stopping");
        if self.watch.lost().is_some() {
            // SQLite removes the WAL at its path when the last connection is closed. That may be
            // the WAL of another database by now, so that this connection is never closed.
            std::mem::forget(self.connection);
        }
        WriterEnd::Failed(problem)
    }

    /// Where there is no room to move the log into the file it is only told: the log is still the
    /// truth.
    fn checked(&self, moved: rusqlite::Result<()>) -> Result<(), Broken> {
        moved.or_else(|failure| {
            warn!(%failure, "a checkpoint failed");
            self.broken(&failure)
        })
    }

    /// Commits a batch and answers it. Where it fails, each is tried alone, so that one bad row
    /// harms nobody.
    fn store(&mut self, batch: &mut Vec<Pending>) -> Result<(), Broken> {
        match self.commit(batch.iter().map(|pending| &pending.event)) {
            Ok(appended) => {
                self.answer(batch.drain(..), appended);
                return Ok(());
            }
            Err(failure) => {
                warn!(rows = batch.len(), %failure, "a commit failed; trying its rows one by one");
                self.broken(&failure)?;
            }
        }
        for pending in batch.drain(..) {
            match self.commit([&pending.event]) {
                Ok(appended) => self.answer([pending].into_iter(), appended),
                Err(failure) => {
                    error!(%failure, "a notification could not be stored");
                    let broken = self.broken(&failure);
                    let Pending { event, answer } = pending;
                    drop(event);
                    // Who no longer waits is not answered.
                    let _ = answer.send(Err(Unavailable::Failed));
                    broken?;
                }
            }
        }
        Ok(())
    }

    /// Nothing here can fail: the rows are on disk.
    fn answer(&self, rows: impl Iterator<Item = Pending>, appended: Vec<Appended>) {
        let newest = appended.iter().map(|appended| appended.seq).max();
        // Before anybody is answered: who is, finds it in every list.
        self.newest.send_if_modified(|known| {
            let grown = newest.is_some_and(|newest| newest > *known);
            *known = newest.unwrap_or(*known).max(*known);
            grown
        });
        for (Pending { event, answer }, appended) in rows.zip(appended) {
            // Who is answered may count on the memory of its body being free.
            drop(event);
            // Who no longer waits is not answered.
            let _ = answer.send(Ok(appended));
        }
        self.follower.committed();
    }

    fn commit<'e>(
        &mut self,
        events: impl IntoIterator<Item = &'e NewEvent>,
    ) -> rusqlite::Result<Vec<Appended>> {
        let mut transaction = Transaction::begin(&self.connection, &mut self.dedup)?;
        let appended = events
            .into_iter()
            .map(|event| transaction.append(event))
            .collect::<rusqlite::Result<_>>()?;
        transaction.commit()?;
        Ok(appended)
    }

    /// After these a later commit could say that it is on disk when it is not.
    fn broken(&self, failure: &rusqlite::Error) -> Result<(), Broken> {
        match failure.sqlite_error_code() {
            // No room to enlarge the index of the log, which is never synced and is made anew from
            // the log: the disk is full, nothing more.
            Some(ErrorCode::SystemIoFailure)
                if extended_code(failure) == Some(ffi::SQLITE_IOERR_SHMSIZE)
                    && self.connection.is_autocommit() =>
            {
                Ok(())
            }
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::ApiMisuse,
            ) => Err(Broken(failure.to_string())),
            _ if !self.connection.is_autocommit() => Err(Broken(format!(
                "a transaction could not be ended after: {failure}"
            ))),
            _ => Ok(()),
        }
    }
}

fn extended_code(failure: &rusqlite::Error) -> Option<i32> {
    failure.sqlite_error().map(|error| error.extended_code)
}
