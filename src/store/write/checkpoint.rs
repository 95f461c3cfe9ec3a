//! WAL checkpointing, off the request path.
//!
//! A thread with its own connection copies most of the WAL into the database file while the writer keeps
//! committing. The writer then copies the few pages that it has added meanwhile, and SQLite restarts the
//! WAL. Without that last step the WAL would grow for as long as events arrive without a pause.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use rusqlite::{Connection, Result};

use crate::store::error::OpenError;
use crate::store::wal::WalBytes;

/// Multiple of the pages that start a checkpoint. From here on the writer waits for the thread's checkpoint to
/// finish.
const MAX: i32 = 4;

/// Part of the pages that start a checkpoint: extra pages to accumulate before retrying when a reader blocks a
/// checkpoint.
const EXTRA: i32 = 4;

/// Never waits for a reader: pages that a reader still needs stay in the WAL.
const CHECKPOINT: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// Leaves an empty WAL behind.
const FINAL_CHECKPOINT: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Schedules checkpoints on the thread and completes them. Owned by the writer.
#[derive(Debug)]
pub(in crate::store) struct Checkpoints {
    requests: SyncSender<()>,
    results: Receiver<Result<Progress>>,
    is_running: bool,
    wal: WalBytes,
    /// Pages in an unblocked WAL that start a checkpoint.
    pages: i32,
    /// Pages in the WAL that trigger the next checkpoint.
    threshold: i32,
}

/// The state of the WAL after a checkpoint.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// Pages in the WAL.
    pages: i32,
    /// Pages of these that are in the database file.
    checkpointed: i32,
}

impl Checkpoints {
    /// Starts the thread that checkpoints the database at `path`.
    pub(in crate::store) fn start(path: &Path, wal: WalBytes) -> Result<Self, OpenError> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        wal.limit(&connection)?;
        let (requests, requested) = sync_channel(1);
        let (finished, results) = sync_channel(1);
        thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || {
                while requested.recv().is_ok() {
                    if finished.send(checkpoint(&connection, CHECKPOINT)).is_err() {
                        return;
                    }
                }
            })
            .map_err(OpenError::Thread)?;
        Ok(Self {
            requests,
            results,
            is_running: false,
            pages: wal.checkpoint_pages(),
            threshold: wal.checkpoint_pages(),
            wal,
        })
    }

    /// Called after each commit, once its requests are answered. `pages` is the size of the WAL. Requests a
    /// checkpoint from the thread, or completes a finished one on the writer's `connection`.
    ///
    /// # Errors
    ///
    /// A checkpoint failed. The WAL still has every commit, but the disk may no longer be trustworthy.
    pub(in crate::store) fn after_commit(
        &mut self,
        connection: &Connection,
        pages: i32,
    ) -> Result<()> {
        if self.wal.is_outdated() {
            self.wal.refit(connection)?;
            self.pages = self.wal.checkpoint_pages();
            self.threshold = self.pages;
        }
        if !self.is_running {
            if pages >= self.threshold {
                // The thread is idle, so the channel has room for the request.
                self.is_running = self.requests.try_send(()).is_ok();
            }
            return Ok(());
        }
        if pages >= MAX * self.pages
            && let Ok(result) = self.results.recv()
        {
            // The disk is slower than the incoming events. Blocking the writer is the backpressure.
            self.is_running = false;
            result?;
            return self.complete(connection);
        }
        match self.results.try_recv() {
            Err(TryRecvError::Empty) => return Ok(()),
            // The thread panicked. From here on the writer runs every checkpoint itself.
            Err(TryRecvError::Disconnected) => {}
            Ok(result) => {
                self.is_running = false;
                result?;
            }
        }
        self.complete(connection)
    }

    /// Copies the pages that the writer has added since the thread's checkpoint.
    fn complete(&mut self, connection: &Connection) -> Result<()> {
        let progress = checkpoint(connection, CHECKPOINT)?;
        self.threshold = if progress.checkpointed == progress.pages {
            self.pages
        } else {
            progress.pages.saturating_add(self.pages / EXTRA)
        };
        Ok(())
    }

    /// Checkpoints the whole WAL after the last commit.
    pub(in crate::store) fn last(self, connection: &Connection) -> Result<()> {
        // Ends the thread, which may still be running a checkpoint.
        drop(self.requests);
        while let Ok(result) = self.results.recv() {
            result?;
        }
        checkpoint(connection, FINAL_CHECKPOINT).map(drop)
    }
}

fn checkpoint(connection: &Connection, pragma: &str) -> Result<Progress> {
    connection.prepare_cached(pragma)?.query_row([], |row| {
        Ok(Progress {
            pages: row.get(1)?,
            checkpointed: row.get(2)?,
        })
    })
}
