//! Copies a database of one machine into an empty PostgreSQL, and makes it this node's copy of that PostgreSQL.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::compare::compare;
use super::error::MigrateError;
use super::local;
use super::remote::{Before, COUNTS, Remote};
use super::report::{MigrateStage, Migrated, Observe};
use crate::store::cluster::align;
use crate::store::cluster::error::SharedError;
use crate::store::cluster::session::SharedAt;
use crate::store::event_connection::EventConnection;
use crate::store::maintenance::database::{self, Exclusive};
use crate::store::past::deleted_through;

const COPY_OF: &str = "SELECT cluster FROM shared_copy";

const BECOME_COPY: &str = "INSERT OR REPLACE INTO shared_copy VALUES (1, ?1, ?2)";

/// Copies the database at `path` into the PostgreSQL at `at`, with its seqs, its epoch and its counts of deliveries. The
/// database is unchanged until everything is copied and compared; then it becomes this node's copy.
///
/// # Errors
///
/// A server uses the database, PostgreSQL has other events, the database has no longer all its events as they were
/// received, or one of the two failed. The same call continues.
pub async fn copy_into_postgres(
    path: &Path,
    at: &SharedAt,
    observe: Observe<'_>,
) -> Result<Migrated, MigrateError> {
    let Exclusive {
        connection,
        lock,
        epoch,
    } = database::exclusive(path, false).await?;
    let local = EventConnection::new(connection);
    let (session, identity) = align::prepare(at, true).await?;
    let mut remote = Remote::new(session, identity).await?;
    let copy_of: Option<String> = local.query_row(COPY_OF, [], |row| row.get(0)).optional()?;
    if let Some(cluster) = copy_of {
        if cluster != remote.identity.cluster {
            return Err(MigrateError::IsCopy(lock.path().to_owned()));
        }
        return Ok(Migrated {
            was_done: true,
            newest: local::newest(&local)?,
            ..Migrated::default()
        });
    }
    let deleted = deleted_through(&local)?;
    remote.lock().await?;
    let newest = local::newest(&local)?.max(deleted);
    let (copied, is_visible) = match remote.before().await? {
        Before::Empty => {
            remote.begin(&epoch).await?;
            (deleted, false)
        }
        Before::Part(of) if of == epoch => {
            let copied = copied_before(&local, &remote).await?;
            (copied.max(deleted), false)
        }
        Before::Part(_) => return Err(MigrateError::OtherDatabase),
        // An earlier run was killed just before its end. Nodes may have appended since.
        Before::Events(_) if has_all(&local, &remote, &epoch, newest).await? => (newest, true),
        Before::Events(events) => return Err(MigrateError::HasEvents(events)),
    };
    copy_events(&local, &remote, (copied, newest), observe).await?;
    let changes = if is_visible {
        // They have changed since. The node copies them when it starts.
        0
    } else {
        copy_counts(&local, &remote).await?
    };
    let mut done = Migrated {
        newest,
        was_done: is_visible,
        ..Migrated::default()
    };
    if !is_visible {
        done = compare(&local, &remote, (newest, true), observe).await?;
        done.copied = (newest - copied).unsigned_abs();
        remote.finish((newest, changes, deleted), &epoch).await?;
    }
    become_copy(&local, &remote.identity.cluster, changes)?;
    Ok(done)
}

/// How far an earlier run has come.
async fn copied_before(local: &EventConnection, remote: &Remote) -> Result<i64, MigrateError> {
    let Some((seq, received_at, digest)) = remote.newest().await? else {
        return Ok(0);
    };
    if local::arrival(local, seq)? == Some((received_at, digest)) {
        Ok(seq)
    } else {
        Err(MigrateError::OtherDatabase)
    }
}

/// Whether PostgreSQL has the events of the database, and belongs to it.
async fn has_all(
    local: &EventConnection,
    remote: &Remote,
    epoch: &str,
    newest: i64,
) -> Result<bool, MigrateError> {
    let here = local::arrival(local, newest)?;
    Ok(remote.identity.epoch == epoch && here.is_some() && remote.arrival(newest).await? == here)
}

async fn copy_events(
    local: &EventConnection,
    remote: &Remote,
    (copied, newest): (i64, i64),
    observe: Observe<'_>,
) -> Result<(), MigrateError> {
    let mut seq = copied;
    while seq < newest {
        observe(MigrateStage::Copy, seq, newest);
        let slice = local::slice(local, seq)?;
        let Some(last) = slice.seqs.last() else {
            return Err(MigrateError::Damaged(seq + 1));
        };
        remote.insert(&slice).await?;
        seq = *last;
    }
    Ok(())
}

/// Returns the newest change of a count.
async fn copy_counts(local: &EventConnection, remote: &Remote) -> Result<i64, MigrateError> {
    remote.clear_counts().await?;
    let (mut seq, mut changes) = (0, 0);
    loop {
        let counts = local::counts(local, seq, COUNTS)?;
        let Some(last) = counts.last() else {
            return Ok(changes);
        };
        remote.insert_counts(&counts, changes).await?;
        seq = last.seq;
        changes += i64::try_from(counts.len()).unwrap_or(COUNTS);
    }
}

fn become_copy(local: &Connection, cluster: &str, changes: i64) -> Result<(), SharedError> {
    let marked = local.execute(BECOME_COPY, params![cluster, changes]);
    marked
        .map(drop)
        .map_err(|error| SharedError::Local(error.into()))
}
