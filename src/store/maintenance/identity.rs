//! The epoch of the database, which identifies one sequence of `seq` values.
//!
//! After an older copy of the file is restored, the server assigns `seq` values that readers have already
//! seen with other events. The epoch is therefore renewed when the file is a copy, and readers that send the
//! old epoch are told to start over. A file is a copy if
//!
//! - its inode differs from the one stored in it: the file was copied, or moved from another disk; or
//! - the projection beside it has the same epoch and an event that the file lacks: the copy was written over
//!   the file. Otherwise the projection is never ahead of the events.
//!
//! `reprocess` renews the epoch too. An unnecessary renewal does no harm; a missing one would.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};
use tracing::warn;

use crate::store::epoch;
use crate::store::error::OpenError;
use crate::store::lock::Lock;
use crate::store::projection;

const READ: &str = "SELECT epoch, inode FROM identity";

const WRITE: &str = "INSERT OR REPLACE INTO identity VALUES (1, ?1, ?2)";

/// In a copy, what was done with old events before it was made may lack events that were copied earlier still.
const BEGIN_AGAIN: [&str; 2] = [
    "UPDATE thinning SET seq = 0",
    "UPDATE reprocess SET seq = 0, events = 0, damaged = 0, changed = '[]' WHERE NOT is_done",
];

/// The inode in a backup. No file has it, so that a restored backup starts a new epoch.
pub(in crate::store) const NO_INODE: i64 = 0;

/// The epoch that is stored in the database. `None` if no server has opened it since there are epochs.
pub(in crate::store) fn epoch(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let has_epoch = "SELECT count(*) FROM sqlite_schema WHERE name = 'identity'";
    if connection.query_row(has_epoch, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(None);
    }
    connection.query_row(READ, [], |row| row.get(0)).optional()
}

/// Stores the epoch of the database that a backup is copied from.
pub(in crate::store) fn write_for_backup(
    connection: &Connection,
    epoch: &str,
) -> rusqlite::Result<()> {
    connection.execute(WRITE, (epoch, NO_INODE)).map(drop)
}

/// Makes a node's copy of PostgreSQL a database of its own. PostgreSQL may give the next seqs to other events, so a new
/// epoch begins, which is returned. `None`: the database is no copy.
pub(in crate::store) fn leave_cluster(
    connection: &Connection,
    path: &Path,
) -> Result<Option<String>, OpenError> {
    if connection.query_row("SELECT count(*) FROM shared_copy", [], |row| {
        row.get::<_, i64>(0)
    })? == 0
    {
        return Ok(None);
    }
    let epoch = epoch::random()?;
    let before: String = connection.query_row(READ, [], |row| row.get(0))?;
    let transaction = connection.unchecked_transaction()?;
    transaction.execute("UPDATE identity SET epoch = ?1", [&epoch])?;
    epoch::carry_over(&transaction, &before, &epoch)?;
    transaction.execute("DELETE FROM shared_copy", [])?;
    transaction.commit()?;
    if let Err(failure) = projection::move_epoch(path, &before, &epoch) {
        // Then it is derived again.
        warn!(%failure, "the projection does not fit the new epoch: {failure}");
    }
    Ok(Some(epoch))
}

/// Returns the epoch of the database. Renews it if the file is a copy or its events are parsed again.
pub(in crate::store) fn establish(
    connection: &Connection,
    lock: &Lock,
    is_reprocessed: bool,
) -> Result<String, OpenError> {
    let inode = lock.inode().map_err(|error| OpenError::File {
        path: lock.path().to_owned(),
        error,
    })?;
    let inode = inode.cast_signed();
    let stored: Option<(String, i64)> = connection
        .query_row(READ, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let mut is_copy = false;
    if let Some((epoch, stored_inode)) = &stored {
        is_copy = *stored_inode != inode || projection::is_ahead(lock.path(), connection, epoch);
        if !is_copy && !is_reprocessed {
            return Ok(epoch.clone());
        }
        if is_copy {
            // SQLite silently applies a WAL that the previous file left beside this one.
            let found: String =
                connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            if found != "ok" {
                return Err(OpenError::Damaged(lock.path().to_owned()));
            }
            warn!(
                "`{}` was copied or restored: it starts a new epoch, and readers that send the old \
                 one get 409 `feed-rewound`",
                lock.path().display()
            );
        }
    }
    let epoch = epoch::random()?;
    let transaction = connection.unchecked_transaction()?;
    transaction.execute(WRITE, (&epoch, inode))?;
    if let Some((before, _)) = &stored {
        epoch::carry_over(&transaction, before, &epoch)?;
    }
    if is_copy {
        for sql in BEGIN_AGAIN {
            transaction.execute(sql, [])?;
        }
    }
    transaction.commit()?;
    Ok(epoch)
}
