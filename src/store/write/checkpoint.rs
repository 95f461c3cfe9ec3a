//! Checkpoints: the log is moved into the file, off the way of the answers.
//!
//! Most of it is moved by a thread with a connection of its own, while the writer goes on. What
//! the writer has added meanwhile it moves itself, which is little; then SQLite begins the log
//! anew. Without that last step the log would grow as long as events come without a pause.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use rusqlite::{Connection, Result};

use crate::store::error::OpenError;

/// Pages of the log (4 KiB each) after which it is moved.
const PAGES: i32 = 4000;

/// So many more are waited for where readers still need a part of the log.
const MORE_PAGES: i32 = 1000;

/// Pages at which the writer waits for the thread.
const MOST_PAGES: i32 = 4 * PAGES;

/// Waits for nobody: what readers still need stays in the log.
const CHECKPOINT: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// Leaves an empty log behind.
const LAST_CHECKPOINT: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Says when the log is moved, and moves its rest. It belongs to the writer.
#[derive(Debug)]
pub(in crate::store) struct Checkpoints {
    orders: SyncSender<()>,
    done: Receiver<Result<Moved>>,
    is_moving: bool,
    /// Pages of the log after which it is moved next.
    threshold: i32,
}

/// What a checkpoint left.
#[derive(Debug, Clone, Copy)]
struct Moved {
    /// Pages in the log.
    pages: i32,
    /// How many of them are in the file.
    moved: i32,
}

impl Checkpoints {
    /// Starts the thread that moves the log of the database at `path`.
    pub(in crate::store) fn start(path: &Path) -> Result<Self, OpenError> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let (orders, ordered) = sync_channel(1);
        let (says, done) = sync_channel(1);
        thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || {
                while ordered.recv().is_ok() {
                    if says.send(checkpoint(&connection, CHECKPOINT)).is_err() {
                        return;
                    }
                }
            })
            .map_err(OpenError::Thread)?;
        Ok(Self {
            orders,
            done,
            is_moving: false,
            threshold: PAGES,
        })
    }

    /// After a batch that was answered, with the pages that the log has now: orders the thread to
    /// move it, or moves its rest on the writer's `connection`.
    ///
    /// # Errors
    ///
    /// The log is still the truth, but the disk may be beyond trust.
    pub(in crate::store) fn after_commit(
        &mut self,
        connection: &Connection,
        pages: i32,
    ) -> Result<()> {
        if !self.is_moving {
            if pages >= self.threshold {
                // It waits for orders: there is room for one.
                self.is_moving = self.orders.try_send(()).is_ok();
            }
            return Ok(());
        }
        if pages >= MOST_PAGES
            && let Ok(moved) = self.done.recv()
        {
            // The disk is slower than what comes: the writer waits, and what comes waits for it.
            self.is_moving = false;
            moved?;
            return self.move_rest(connection);
        }
        match self.done.try_recv() {
            Err(TryRecvError::Empty) => return Ok(()),
            // It panicked: from here on the writer moves all itself.
            Err(TryRecvError::Disconnected) => {}
            Ok(moved) => {
                self.is_moving = false;
                moved?;
            }
        }
        self.move_rest(connection)
    }

    fn move_rest(&mut self, connection: &Connection) -> Result<()> {
        let rest = checkpoint(connection, CHECKPOINT)?;
        self.threshold = if rest.moved == rest.pages {
            PAGES
        } else {
            rest.pages.saturating_add(MORE_PAGES)
        };
        Ok(())
    }

    /// Moves all, where nothing more will come.
    pub(in crate::store) fn last(self, connection: &Connection) -> Result<()> {
        // The thread may be at it.
        drop(self.orders);
        while let Ok(moved) = self.done.recv() {
            moved?;
        }
        checkpoint(connection, LAST_CHECKPOINT).map(drop)
    }
}

fn checkpoint(connection: &Connection, pragma: &str) -> Result<Moved> {
    connection.prepare_cached(pragma)?.query_row([], |row| {
        Ok(Moved {
            pages: row.get(1)?,
            moved: row.get(2)?,
        })
    })
}
