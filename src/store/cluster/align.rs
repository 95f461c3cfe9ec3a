//! Decides at the start what becomes of the local database: a copy of these events goes on, one that has other events is
//! set aside, and a database that is no copy is refused.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};
use tracing::warn;

use super::error::SharedError;
use super::lineage::{Identity, identify};
use super::position::Position;
use super::session::{Session, SharedAt};
use super::{requirements, schema};
use crate::store::beside::with_ending;
use crate::store::error::OpenError;
use crate::store::past::deleted_through;

/// Ending of a local database that was set aside.
const ASIDE: &str = ".rewound";

/// Endings of the files of a database.
const FILES: [&str; 5] = ["", "-wal", "-shm", ".projection", ".projection-wal"];

const COPY: &str = "SELECT cluster, changes FROM shared_copy";

const NEWEST: &str = "SELECT seq, received_at, digest FROM event ORDER BY seq DESC LIMIT 1";

/// A new copy begins after what retention has deleted.
const BEGIN: &str = "UPDATE retention SET seq = max(seq, ?1)";

const LOCAL_EPOCH: &str = "SELECT epoch FROM identity";

/// Connects, brings the schema up to date, and checks the settings at the first start. Later the appender checks them,
/// and readers are served all the same.
pub(in crate::store) async fn prepare(
    at: &SharedAt,
    is_first: bool,
) -> Result<(Session, Identity), SharedError> {
    let mut session = at.open().await?;
    if is_first {
        requirements::check(&session, at).await?;
    }
    schema::migrate(&mut session).await?;
    let identity = identify(&mut session).await?;
    Ok((session, identity))
}

/// How far the local database is copied. A new one becomes a copy.
pub(in crate::store) fn look(
    local: &Connection,
    identity: &Identity,
    path: &Path,
) -> Result<Position, SharedError> {
    let failed = |error| SharedError::Local(OpenError::Write(error));
    match self::local(local).map_err(failed)? {
        Some((cluster, _)) if cluster != identity.cluster => {
            Err(SharedError::OtherCluster(path.to_owned()))
        }
        Some((_, position)) => Ok(position),
        None if has_events(local).map_err(failed)? => Err(SharedError::OwnEvents(path.to_owned())),
        None => Ok(Position::default()),
    }
}

/// Whether the local database has events, or had some that were deleted.
fn has_events(local: &Connection) -> rusqlite::Result<bool> {
    let exists = "SELECT EXISTS (SELECT 1 FROM event)";
    let has_some = local.query_row(exists, [], |row| row.get::<_, bool>(0))?;
    Ok(has_some || deleted_through(local)? > 0)
}

/// What the local database is a copy of, and how far; `None` if it is no copy.
pub(in crate::store) fn local(local: &Connection) -> rusqlite::Result<Option<(String, Position)>> {
    let copy = local.query_row(COPY, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let Some((cluster, changes)) = copy.optional()? else {
        return Ok(None);
    };
    let newest = local.query_row(NEWEST, [], |row| {
        Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))
    });
    let newest = newest.optional()?;
    let deleted = deleted_through(local)?;
    let position = Position {
        seq: newest.map_or(deleted, |(seq, _)| seq),
        newest: newest.map(|(_, newest)| newest),
        changes,
    };
    Ok(Some((cluster, position)))
}

/// Gives the copy the epoch of PostgreSQL, and its beginning if it has no event yet. After a change of the epoch the counts
/// of deliveries are copied anew, because PostgreSQL may have lost some. Returns the local epoch before.
pub(in crate::store) fn adopt(
    local: &Connection,
    identity: &Identity,
    position: &mut Position,
) -> rusqlite::Result<String> {
    let before: String = local.query_row(LOCAL_EPOCH, [], |row| row.get(0))?;
    let transaction = local.unchecked_transaction()?;
    if before != identity.epoch {
        transaction.execute("UPDATE identity SET epoch = ?1", [&identity.epoch])?;
        transaction.execute("DELETE FROM repeat", [])?;
        position.changes = 0;
    }
    transaction.execute(
        "INSERT OR REPLACE INTO shared_copy VALUES (1, ?1, ?2)",
        params![identity.cluster, position.changes],
    )?;
    if position.newest.is_none() {
        transaction.execute(BEGIN, [position.seq])?;
    }
    transaction.commit()?;
    Ok(before)
}

/// Removes the files of a closed database all of whose events are deleted from PostgreSQL.
pub(in crate::store) fn discard(path: &Path, seq: i64) -> Result<(), OpenError> {
    for ending in FILES {
        let file = with_ending(path, ending);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(OpenError::File { path: file, error });
            }
            _ => {}
        }
    }
    warn!(
        seq,
        "retention has deleted every event of `{}`, up to seq {seq}, and later ones: the events are copied anew",
        path.display()
    );
    Ok(())
}

/// Where the database at `path` is set aside.
pub(in crate::store) fn aside(path: &Path) -> PathBuf {
    with_ending(path, ASIDE)
}

/// Renames the files of a closed database, in place of those that were set aside before.
pub(in crate::store) fn set_aside(path: &Path, seq: i64) -> Result<(), OpenError> {
    for ending in FILES {
        let from = with_ending(path, ending);
        let to = with_ending(path, &format!("{ASIDE}{ending}"));
        let renamed = match fs::rename(&from, &to) {
            // Otherwise the file of an earlier one would be beside the others.
            Err(error) if error.kind() == ErrorKind::NotFound => match fs::remove_file(&to) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
            renamed => renamed,
        };
        renamed.map_err(|error| OpenError::File { path: from, error })?;
    }
    warn!(
        seq,
        "`{path}` has events that PostgreSQL does not have, up to seq {seq}: it is kept as `{path}{ASIDE}`, and the \
         events are copied anew; readers that send the old epoch get 409 `feed-rewound`",
        path = path.display()
    );
    Ok(())
}
