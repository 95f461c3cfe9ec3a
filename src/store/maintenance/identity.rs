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

use data_encoding::HEXLOWER;
use rusqlite::{Connection, OptionalExtension};
use tracing::warn;

use crate::store::error::OpenError;
use crate::store::lock::Lock;
use crate::store::projection;

const READ: &str = "SELECT epoch, inode FROM identity";

const WRITE: &str = "INSERT OR REPLACE INTO identity VALUES (1, ?1, ?2)";

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
    if let Some((epoch, stored_inode)) = stored {
        let is_copy =
            stored_inode != inode || projection::is_ahead(lock.path(), connection, &epoch);
        if !is_copy && !is_reprocessed {
            return Ok(epoch);
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
    let mut random = [0; 8];
    getrandom::fill(&mut random)?;
    let epoch = HEXLOWER.encode(&random);
    connection.execute(WRITE, (&epoch, inode))?;
    Ok(epoch)
}
