//! Copies PostgreSQL into a new database of one machine. The file gets its name when it is complete.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use tokio_util::sync::CancellationToken;

use super::compare::compare;
use super::error::MigrateError;
use super::remote::Remote;
use super::report::{MigrateStage, Migrated, Observe};
use crate::store::beside::with_ending;
use crate::store::cluster::align;
use crate::store::cluster::copier::{Copier, STATEMENT_EVENTS};
use crate::store::cluster::error::SharedError;
use crate::store::cluster::lineage::identify;
use crate::store::cluster::own::OwnEvents;
use crate::store::cluster::position::{Fit, fit, head};
use crate::store::cluster::schema;
use crate::store::cluster::session::SharedAt;
use crate::store::cluster::status::NodeStatus;
use crate::store::disk::{folder_of, sync};
use crate::store::event_connection::EventConnection;
use crate::store::maintenance::{database, identity};
use crate::store::open::assemble;

/// Ending of a database that is not complete yet.
const UNFINISHED: &str = ".migrating";

/// Commands that wait for the writer. The copier sends one at a time.
const MAX_WAITING: usize = 16;

/// Copies the events of the PostgreSQL at `at` into a new database at `path`, with their seqs and counts of deliveries.
/// The database has a new epoch: PostgreSQL may give the next seqs to other events. Nothing is changed in PostgreSQL.
///
/// # Errors
///
/// There is a file at `path`, PostgreSQL has no events of green-inbox, or one of the two failed. The same call continues.
pub async fn copy_from_postgres(
    path: &Path,
    at: &SharedAt,
    observe: Observe<'_>,
) -> Result<Migrated, MigrateError> {
    if path.symlink_metadata().is_ok() {
        return Err(MigrateError::Exists(path.to_owned()));
    }
    let mut session = at.open().await?;
    if !schema::is_usable(&session).await? {
        return Err(MigrateError::NoSchema);
    }
    let identity = identify(&mut session).await?;
    let remote = Remote::new(session, identity).await?;
    let unfinished = with_ending(path, UNFINISHED);
    let mut done = copy(&unfinished, &remote, at, observe).await?;
    let local = read_only(&unfinished)?;
    let in_this_run = done.copied;
    done = compare(&local, &remote, (done.newest, false), observe).await?;
    drop(local);
    done.copied = in_this_run;
    finish(&unfinished, path).await?;
    let now = head(&remote.session).await?;
    done.missed = (now.seq - done.newest).unsigned_abs();
    Ok(done)
}

/// Copies what the unfinished file lacks.
async fn copy(
    unfinished: &Path,
    remote: &Remote,
    at: &SharedAt,
    observe: Observe<'_>,
) -> Result<Migrated, MigrateError> {
    let exclusive = database::exclusive(unfinished, false).await?;
    let leftover = || MigrateError::Leftover(unfinished.to_owned());
    let looked = align::look(&exclusive.connection, &remote.identity, unfinished);
    let mut position = looked.map_err(|failure| match failure {
        SharedError::OtherCluster(_) | SharedError::OwnEvents(_) => leftover(),
        failure => failure.into(),
    })?;
    let end = head(&remote.session).await?;
    if position.seq == 0 {
        position.seq = end.deleted;
    }
    if fit(&remote.session, position).await? != Fit::Same {
        return Err(leftover());
    }
    let first = position.seq;
    align::adopt(&exclusive.connection, &remote.identity, &mut position)?;
    let store = assemble(exclusive, MAX_WAITING, 0).await?;
    let (reader, mut thread, mut projection) = (store.reader, store.thread, store.projection);
    let mut copier = Copier {
        at: at.clone(),
        identity: remote.identity.clone(),
        writer: store.writer,
        status: NodeStatus::new(store.commits, true),
        metrics: store.metrics,
        position,
        own: OwnEvents::default(),
        rewound: CancellationToken::new(),
    };
    let copying = async {
        while copier.position.seq < end.seq {
            observe(MigrateStage::Copy, copier.position.seq, end.seq);
            let through = end.seq.min(copier.position.seq + STATEMENT_EVENTS);
            copier.copy_events(&remote.session, through).await?;
        }
        while copier.position.changes < end.changes {
            copier.copy_counts(&remote.session, end.changes).await?;
        }
        Ok::<(), SharedError>(())
    };
    let ended = copying.await;
    // The last handle to the writer.
    drop(copier);
    thread.ended().await;
    projection.ended().await;
    reader.close().await;
    ended?;
    Ok(Migrated {
        copied: (end.seq - first).unsigned_abs(),
        newest: end.seq,
        ..Migrated::default()
    })
}

fn read_only(path: &Path) -> Result<EventConnection, MigrateError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(EventConnection::new(Connection::open_with_flags(
        path, flags,
    )?))
}

/// Gives the complete file its name, and makes it a database of its own.
async fn finish(unfinished: &Path, path: &Path) -> Result<(), MigrateError> {
    let exclusive = database::exclusive(unfinished, false).await?;
    let busy: i64 =
        exclusive
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    drop(exclusive);
    let failed = |file: PathBuf| move |error| MigrateError::System { file, error };
    if busy != 0 {
        let error = std::io::ErrorKind::ResourceBusy.into();
        return Err(failed(unfinished.to_owned())(error));
    }
    sync(unfinished).map_err(failed(unfinished.to_owned()))?;
    // It is derived again if it is not there, so the events come last. Empty by now: the WAL and its index.
    for (ending, is_kept) in [
        ("-wal", false),
        ("-shm", false),
        (".projection-shm", false),
        (".projection-wal", true),
        (".projection", true),
    ] {
        let from = with_ending(unfinished, ending);
        let moved = if is_kept {
            fs::rename(&from, with_ending(path, ending))
        } else {
            fs::remove_file(&from)
        };
        match moved {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed(from)(error));
            }
            _ => {}
        }
    }
    match renameat_with(CWD, unfinished, CWD, path, RenameFlags::NOREPLACE) {
        Err(rustix::io::Errno::EXIST) => return Err(MigrateError::Exists(path.to_owned())),
        renamed => renamed.map_err(|error| failed(path.to_owned())(error.into()))?,
    }
    let folder = fs::File::open(folder_of(path)).and_then(|folder| folder.sync_all());
    folder.map_err(failed(path.to_owned()))?;
    // If this does not happen, the server does it when it starts.
    let complete = database::exclusive(path, false).await?;
    identity::leave_cluster(&complete.connection, complete.lock.path())?;
    Ok(())
}
