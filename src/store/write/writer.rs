//! Group commit: one thread takes all waiting notifications, commits them in one transaction, and answers
//! each request only after that commit. There is no timer: while one commit runs, the next batch gathers.
//! Every other change of the database is a command in the same queue, so there is only one writer.
//!
//! The thread owns its connection and its prepared statements. Awaiting each statement through an async
//! client costs more than the statement itself (docs/decisions/0001-two-sqlite-clients.md has the figures).

use std::cell::Cell;
use std::thread;
use std::time::Instant;

use rusqlite::{Connection, ErrorCode, ffi};
use tokio::sync::{mpsc, oneshot, watch as publish};
use tracing::{error, warn};

use super::checkpoint::Checkpoints;
use super::dedup::DedupIndex;
use super::queue::{Append, Command, Save, Writer};
use super::transaction::Transaction;
use super::watch::{self, Watch};
use crate::metrics::Metrics;
use crate::store::commits::Commits;
use crate::store::compress::{Compression, Compressor};
use crate::store::epoch::Epoch;
use crate::store::error::{OpenError, Unavailable};
use crate::store::event::{Appended, NewEvent};
use crate::store::event_connection::EventConnection;
use crate::store::oldest::DeletedThrough;
use crate::store::projection::Notifier;

/// Commands in one batch, whose notifications share a transaction. Those beyond it wait for the next batch.
const MAX_BATCH: usize = 512;

/// Commands up to which bodies are compressed before their commit. With more, the requests would wait for it, so that
/// bodies are stored as they are and compressed later.
pub(super) const MAX_CALM: usize = 4;

/// How the thread ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriterEnd {
    /// Every [`Writer`] was dropped, and the queue is committed.
    Drained,
    /// The disk or the file failed in a way that leaves its pages in doubt.
    Failed(String),
    /// The thread panicked.
    Panicked,
}

/// The writer thread.
#[derive(Debug)]
pub struct WriterThread {
    end: oneshot::Receiver<WriterEnd>,
    /// Reports a lost file while the thread may be waiting for notifications.
    lost: oneshot::Receiver<String>,
    _clock: watch::Clock,
}

impl WriterThread {
    /// Waits until the thread has ended or must not go on.
    pub async fn ended(&mut self) -> WriterEnd {
        tokio::select! {
            end = &mut self.end => end.unwrap_or(WriterEnd::Panicked),
            Ok(problem) = &mut self.lost => WriterEnd::Failed(problem),
        }
    }
}

/// What the thread works with.
pub(in crate::store) struct Parts {
    pub(in crate::store) connection: Connection,
    /// The newest seq.
    pub(in crate::store) newest: i64,
    /// Commands that may wait. Further notifications are refused.
    pub(in crate::store) max_waiting: usize,
    pub(in crate::store) checkpoints: Checkpoints,
    pub(in crate::store) watch: Watch,
    /// Notified after each commit and when the thread ends.
    pub(in crate::store) projection: Notifier,
    pub(in crate::store) deleted: DeletedThrough,
    pub(in crate::store) epoch: Epoch,
    pub(in crate::store) metrics: Metrics,
}

/// Starts the thread.
pub(in crate::store) fn start(parts: Parts) -> Result<(Writer, Commits, WriterThread), OpenError> {
    let Parts {
        connection,
        newest,
        max_waiting,
        checkpoints,
        watch,
        projection,
        deleted,
        epoch,
        metrics,
    } = parts;
    let dedup = DedupIndex::read(&connection, newest)?;
    let (queue, waiting) = mpsc::channel(max_waiting);
    let (newest, commits) = Commits::channel(newest);
    let (end, ended) = oneshot::channel();
    let (clock, lost) = watch.start()?;
    let compression = Compression::default();
    let writer = GroupCommit {
        connection: EventConnection::new(connection),
        dedup,
        compression: compression.clone(),
        compressor: Compressor::new(),
        is_calm: true,
        newest,
        watch,
        projection: projection.clone(),
        deleted,
        epoch,
        metrics: metrics.clone(),
    };
    thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || {
            let how = writer.run(waiting, checkpoints);
            projection.wake();
            // The receiver may be gone.
            let _ = end.send(how);
        })
        .map_err(OpenError::Thread)?;
    let thread = WriterThread {
        end: ended,
        lost,
        _clock: clock,
    };
    Ok((Writer::new(queue, compression, metrics), commits, thread))
}

thread_local! {
    /// Pages in the WAL after the last commit of this thread, as SQLite reported them.
    static WAL_PAGES: Cell<i32> = const { Cell::new(0) };
}

/// The state of the thread.
pub(super) struct GroupCommit {
    pub(super) connection: EventConnection,
    pub(super) dedup: DedupIndex,
    pub(super) compression: Compression,
    pub(super) compressor: Compressor,
    /// Whether so few commands wait that bodies are compressed before their commit.
    is_calm: bool,
    newest: publish::Sender<i64>,
    watch: Watch,
    pub(super) projection: Notifier,
    pub(super) deleted: DeletedThrough,
    pub(super) epoch: Epoch,
    metrics: Metrics,
}

/// A failure that leaves the file in doubt. The writer stops.
pub(super) struct Untrusted(String);

impl GroupCommit {
    fn run(
        mut self,
        mut waiting: mpsc::Receiver<Command>,
        mut checkpoints: Checkpoints,
    ) -> WriterEnd {
        self.connection.wal_hook(Some(|_, pages| {
            WAL_PAGES.set(pages);
            Ok(())
        }));
        let mut commands = Vec::with_capacity(MAX_BATCH);
        let mut batch = Vec::with_capacity(MAX_BATCH);
        let mut others = Vec::new();
        while waiting.blocking_recv_many(&mut commands, MAX_BATCH) > 0 {
            self.is_calm = commands.len() + waiting.len() <= MAX_CALM;
            for command in commands.drain(..) {
                match command {
                    Command::Append(append) => batch.push(append),
                    other => others.push(other),
                }
            }
            let done = self.check_in_place().and_then(|()| {
                self.store(&mut batch)?;
                others
                    .drain(..)
                    .try_for_each(|command| self.obey(command))?;
                let moved = checkpoints.after_commit(&self.connection, WAL_PAGES.get());
                self.check_checkpoint(moved)
            });
            if let Err(untrusted) = done {
                return self.fail(untrusted);
            }
        }
        // `Drained` says that everything is on disk, so the files must still be in place.
        let last = self
            .watch
            .check()
            .map_err(Untrusted)
            .and_then(|()| self.check_checkpoint(checkpoints.last(&self.connection)));
        match last {
            Ok(()) => WriterEnd::Drained,
            Err(untrusted) => self.fail(untrusted),
        }
    }

    /// Fails if the database is known to be lost from its path.
    fn check_in_place(&self) -> Result<(), Untrusted> {
        match self.watch.lost() {
            None => Ok(()),
            Some(problem) => Err(Untrusted(problem.to_owned())),
        }
    }

    fn fail(self, Untrusted(problem): Untrusted) -> WriterEnd {
        error!(problem, "the database cannot be trusted any more; stopping");
        if self.watch.lost().is_some() {
            // On close, SQLite removes the WAL at its path. By now that may be the WAL of another database,
            // so this connection is never closed.
            std::mem::forget(self.connection);
        }
        WriterEnd::Failed(problem)
    }

    /// Logs a failed checkpoint. A full disk is no reason to stop: the WAL still has everything.
    fn check_checkpoint(&self, moved: rusqlite::Result<()>) -> Result<(), Untrusted> {
        moved.or_else(|failure| {
            warn!(%failure, "a checkpoint failed");
            self.check_trust(&failure)
        })
    }

    /// Commits a batch and answers its requests. If the commit fails, each row is tried alone, so that one
    /// bad row harms no other.
    fn store(&mut self, batch: &mut Vec<Append>) -> Result<(), Untrusted> {
        if batch.is_empty() {
            return Ok(());
        }
        match self.commit(batch.iter().map(|append| &append.event)) {
            Ok(appended) => {
                self.answer(batch.drain(..), appended);
                return Ok(());
            }
            Err(failure) => {
                warn!(rows = batch.len(), %failure, "a commit failed; trying its rows one by one");
                self.check_trust(&failure)?;
            }
        }
        for append in batch.drain(..) {
            match self.commit([&append.event]) {
                Ok(appended) => self.answer([append].into_iter(), appended),
                Err(failure) => {
                    error!(%failure, "a notification could not be stored");
                    let trusted = self.check_trust(&failure);
                    let Append { event, answer } = append;
                    drop(event);
                    // The request may have ended.
                    let _ = answer.send(Err(Unavailable::Failed));
                    trusted?;
                }
            }
        }
        Ok(())
    }

    /// Does what a command asks for. The notifications of its batch are stored before.
    fn obey(&mut self, command: Command) -> Result<(), Untrusted> {
        match command {
            Command::Append(append) => self.store(&mut vec![append]),
            Command::Save(save) => self.save(save),
            Command::Prune(prune) => self.prune(prune),
            Command::Thin(thin) => self.thin(thin),
            Command::Compress(compress) => self.compress(compress),
            Command::Reprocess(change) => self.reprocess(change),
            Command::Copy(copy) => self.copy(copy),
            Command::Wake => Ok(()),
        }
    }

    fn save(&self, Save { change, answer }: Save) -> Result<(), Untrusted> {
        let saved = change.save(&self.connection);
        // The receiver may be gone.
        let _ = answer.send(saved.as_ref().map_or(Err(Unavailable::Failed), |()| Ok(())));
        saved.or_else(|failure| {
            warn!(%failure, "{}: {failure}", change.problem());
            self.check_trust(&failure)
        })
    }

    fn commit<'e>(
        &mut self,
        events: impl IntoIterator<Item = &'e NewEvent>,
    ) -> rusqlite::Result<Vec<Appended>> {
        let start = Instant::now();
        let compresses = self.is_calm && self.compression.is_on();
        let compressor = compresses.then_some(&mut self.compressor);
        let mut transaction = Transaction::begin(&self.connection, &mut self.dedup, compressor)?;
        let appended: Vec<_> = events
            .into_iter()
            .map(|event| transaction.append(event))
            .collect::<rusqlite::Result<_>>()?;
        transaction.commit()?;
        self.metrics.committed(appended.len(), start.elapsed());
        Ok(appended)
    }

    /// Answers the requests of a committed batch. Nothing in here can fail: the rows are on disk.
    fn answer(&self, rows: impl Iterator<Item = Append>, appended: Vec<Appended>) {
        let newest = appended.iter().map(|appended| appended.seq).max();
        // Published before the answers, so that an answered client finds its event in every list.
        self.publish(newest);
        for (Append { event, answer }, appended) in rows.zip(appended) {
            // An answered client may count on the memory of its body being free.
            drop(event);
            // The request may have ended.
            let _ = answer.send(Ok(appended));
        }
        self.projection.committed();
    }

    /// Announces the newest event of a commit.
    pub(super) fn publish(&self, newest: Option<i64>) {
        self.newest.send_if_modified(|known| {
            let grown = newest.is_some_and(|newest| newest > *known);
            *known = newest.unwrap_or(*known).max(*known);
            grown
        });
    }

    /// Fails if a later commit could report success without being on disk.
    pub(super) fn check_trust(&self, failure: &rusqlite::Error) -> Result<(), Untrusted> {
        match failure.sqlite_error_code() {
            // SQLite found no room to enlarge the WAL index. The index is never synced and is rebuilt from
            // the WAL, so this is a full disk and nothing more.
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
            ) => Err(Untrusted(failure.to_string())),
            _ if !self.connection.is_autocommit() => Err(Untrusted(format!(
                "a transaction could not be ended after: {failure}"
            ))),
            _ => Ok(()),
        }
    }
}

fn extended_code(failure: &rusqlite::Error) -> Option<i32> {
    failure.sqlite_error().map(|error| error.extended_code)
}
