//! Which database this is: an epoch, which belongs to one sequence of seqs.
//!
//! Where an older copy of the file is put back, seqs are given again that readers have seen with
//! other events. So the epoch is renewed when the file is a copy, and readers that name the old one
//! are told to begin anew. A file is a copy when
//!
//! - its inode is not the one that is stored in it: it was copied, or moved from another disk;
//! - the projection beside it, of the same epoch, has an event that the file does not have: the copy
//!   was written over the file. The projection is always behind the events otherwise.
//!
//! `reprocess` renews the epoch too. A renewal too many does no harm; one that is missed would.

use data_encoding::HEXLOWER;
use rusqlite::{Connection, OptionalExtension};
use tracing::warn;

use crate::store::error::OpenError;
use crate::store::lock::Lock;
use crate::store::projection;

const READ: &str = "SELECT epoch, inode FROM identity";

const WRITE: &str = "INSERT OR REPLACE INTO identity VALUES (1, ?1, ?2)";

/// Says which epoch the database has, renewed where the file is a copy or its events were parsed
/// again.
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
            // A WAL that was left beside it by the file before is applied to it without a word.
            let found: String =
                connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            if found != "ok" {
                return Err(OpenError::Damaged(lock.path().to_owned()));
            }
            warn!(
                "`{}` was copied or restored: it begins a new epoch, and readers that name the old \
                 one are answered 409 `feed-rewound`",
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
