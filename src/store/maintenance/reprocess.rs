//! Parses stored bodies again, so that events which were unknown or malformed become known after an upgrade,
//! and rebuilds the projection. Bodies, digests, `seq` values and arrival times never change.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Result};
use tracing::warn;

use super::chunk::{Chunk, Limits};
use super::database::{self, Exclusive};
use crate::store::error::OpenError;
use crate::store::event_connection::EventConnection;
use crate::store::projection::{AdvanceError, Projection};
use crate::store::wal::WalBytes;
use crate::store::write::reparse::Reparsed;

/// The size of a transaction.
const LIMITS: Limits = Limits {
    events: 1000,
    bytes: 16 * 1024 * 1024,
    changed: usize::MAX,
    changed_bytes: usize::MAX,
};

/// The result of [`reprocess`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reprocessed {
    /// Events that were read.
    pub events: u64,
    /// Events that are damaged on disk. They are left unchanged.
    pub damaged: u64,
    /// Number of events whose outcome or columns change, by outcome before and after.
    pub changed: BTreeMap<(&'static str, &'static str), u64>,
}

/// Reports progress: the step, the last `seq` that it has handled, and the newest `seq`.
pub type Progress<'p> = &'p mut dyn FnMut(Step, u64, u64);

/// The current step of [`reprocess`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Bodies are being parsed.
    Parse,
    /// The projection is being built.
    Derive,
}

/// Parses all bodies of the database at `path` again and rebuilds the projection. No server may use the
/// database meanwhile. The command can be stopped at any time and started again.
///
/// # Errors
///
/// A server uses the database, or it cannot be written.
pub async fn reprocess(path: &Path, progress: Progress<'_>) -> Result<Reprocessed, OpenError> {
    let Exclusive {
        connection,
        lock,
        epoch,
    } = database::exclusive(path, true).await?;
    let connection = EventConnection::new(connection);
    let path = lock.path();
    // The old projection goes first, so that it does not survive if the command is stopped halfway.
    Projection::remove(path)?;
    let done = pass(&connection, progress, |connection, rows| {
        let transaction = connection.unchecked_transaction()?;
        for event in rows {
            event.write(&transaction)?;
        }
        transaction.commit()
    })?;
    let newest = newest(&connection)?;
    let mut projection = Projection::open(path, &epoch, WalBytes::of_budget(0))?;
    loop {
        match projection.advance() {
            Ok(true) => progress(Step::Derive, projection.seq().unsigned_abs(), newest),
            Ok(false) => return Ok(done),
            Err(AdvanceError::Lost(problem)) => {
                warn!(
                    "the projection could not be built: {problem}; the server builds it when it starts"
                );
                return Ok(done);
            }
            Err(AdvanceError::Transient(failure)) => return Err(failure.into()),
        }
    }
}

/// Reports what [`reprocess`] would change. A server may use the database meanwhile.
///
/// # Errors
///
/// The database cannot be read.
pub fn reprocess_dry(path: &Path, progress: Progress<'_>) -> Result<Reprocessed, OpenError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    database::recognize(&connection, path)?;
    let connection = EventConnection::new(connection);
    pass(&connection, progress, |_, _| Ok(()))
}

/// Parses all events again, and passes the changed ones to `write` in chunks.
fn pass(
    connection: &EventConnection,
    progress: Progress<'_>,
    mut write: impl FnMut(&Connection, &[Reparsed]) -> Result<()>,
) -> Result<Reprocessed, OpenError> {
    let newest = newest(connection)?;
    let mut done = Reprocessed::default();
    let mut seq = 0;
    loop {
        let chunk = Chunk::read(connection, (seq, i64::MAX), LIMITS)?;
        let Some(last) = chunk.last else {
            return Ok(done);
        };
        seq = last;
        done.events += chunk.events;
        done.damaged += chunk.damaged;
        for event in &chunk.changed {
            *done.changed.entry(event.change()).or_insert(0) += 1;
        }
        write(connection, &chunk.changed)?;
        progress(Step::Parse, seq.unsigned_abs(), newest);
    }
}

fn newest(connection: &Connection) -> Result<u64> {
    connection.query_row("SELECT coalesce(max(seq), 0) FROM event", [], |row| {
        row.get::<_, i64>(0).map(i64::unsigned_abs)
    })
}
