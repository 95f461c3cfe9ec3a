//! The projection file: opened if it fits the program and the events, otherwise rebuilt.
//!
//! Only the projection's own connection writes the file. If the times, size, owner or inode of the
//! file (or of its WAL) differ from what that connection left, another program has changed the
//! file. It is then no longer trusted, whether or not SQLite would notice the change.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use sha2::{Digest, Sha256};
use tracing::error;

use super::seed;
use crate::store::beside::with_ending;
use crate::store::error::OpenError;
use crate::store::event_connection::EventConnection;
use crate::store::lock;
use crate::store::past::deleted_through;

const SCHEMA: &str = include_str!("schema.sql");

/// Version of the derivation. Raise it for each change of the derived data that leaves the schema
/// as it is.
const VERSION: u32 = 2;

/// The most seqs that the projection forgets before they are deleted. After a restart, more of them mean that the
/// database is an older copy with events that were deleted meanwhile.
pub(crate) const MAX_AHEAD: i64 = 1024;

const PRAGMAS: &str = "
    -- Must be set before the first table exists.
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
    -- Commits lost in a power cut are derived again.
    PRAGMA synchronous = NORMAL;
    PRAGMA cache_size = -6144;
    PRAGMA temp_store = MEMORY;
    -- Checkpoints run only between slices: see Stamp.
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA trusted_schema = OFF;";

/// The database that the projection is derived from.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Path of the database file.
    pub(super) database: PathBuf,
    /// Epoch of the database.
    pub(super) epoch: String,
}

/// Whether an existing file is usable.
enum Fit {
    Fits(Connection),
    /// The file is missing, has another version, or belongs to other events.
    Outdated,
    /// The file is not readable or not writable, for this reason.
    Unusable(String),
}

/// The path of the projection of the database at `database`.
pub(crate) fn path_of(database: &Path) -> PathBuf {
    with_ending(database, ".projection")
}

/// Opens the projection file for writing, and rebuilds it if it is not usable.
pub(super) fn open(source: &Source, events: &EventConnection) -> Result<Connection, OpenError> {
    match fit(source, events) {
        Fit::Fits(connection) => Ok(connection),
        Fit::Outdated => {
            remove(&source.database)?;
            create(source, events, 0)
        }
        Fit::Unusable(reason) => {
            error!(
                "`{}` cannot be used: {reason}; the file is kept as `*.damaged`, and messages, chats \
                 and calls are rebuilt from the events, which are not affected",
                path_of(&source.database).display()
            );
            replace(source, events, 0)
        }
    }
}

/// Creates a file without the events up to `forgotten`, and keeps the previous one as `*.damaged` for inspection.
/// At most one such file is kept.
pub(super) fn replace(
    source: &Source,
    events: &EventConnection,
    forgotten: i64,
) -> Result<Connection, OpenError> {
    let path = path_of(&source.database);
    // The file may belong to another user, but renaming only needs a writable folder.
    match fs::rename(&path, with_ending(&path, ".damaged")) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(OpenError::File { path, error });
        }
        _ => {}
    }
    remove(&source.database)?;
    create(source, events, forgotten)
}

/// Creates a file without the events up to `forgotten`.
pub(super) fn create(
    source: &Source,
    events: &EventConnection,
    forgotten: i64,
) -> Result<Connection, OpenError> {
    let path = path_of(&source.database);
    let failed = |error| OpenError::File {
        path: path.clone(),
        error,
    };
    drop(lock::create(&path).map_err(failed)?);
    own_as(&source.database, &path).map_err(failed)?;
    let connection = Connection::open(&path)?;
    connection.execute_batch(PRAGMAS)?;
    connection.execute_batch(&format!(
        "BEGIN; {SCHEMA} PRAGMA user_version = {}; COMMIT;",
        fingerprint()
    ))?;
    seed::write(&connection, events, &source.epoch, forgotten)?;
    Ok(connection)
}

/// Changes the owner of a file to the owner of the database, so that the server can write a file
/// that root created. SQLite does the same for the WAL.
fn own_as(database: &Path, path: &Path) -> io::Result<()> {
    let (wanted, found) = (fs::metadata(database)?, fs::metadata(path)?);
    if (wanted.uid(), wanted.gid()) == (found.uid(), found.gid()) {
        return Ok(());
    }
    chown(path, Some(wanted.uid()), Some(wanted.gid()))
}

/// Deletes the file, its WAL and its index, so that the projection is rebuilt.
pub(crate) fn remove(database: &Path) -> Result<(), OpenError> {
    for ending in ["", "-wal", "-shm"] {
        let path = with_ending(&path_of(database), ending);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(OpenError::File { path, error });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Opens a read-only connection to the events.
pub(super) fn events(database: &Path) -> rusqlite::Result<EventConnection> {
    let connection = Connection::open_with_flags(
        database,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // Events are read once, in order, so a large page cache has no use.
    connection.pragma_update(None, "cache_size", -256)?;
    Ok(EventConnection::new(connection))
}

/// Checks that the file is writable and matches this version of the program and these events.
fn fit(source: &Source, events: &Connection) -> Fit {
    let path = path_of(&source.database);
    if !path.exists() {
        return Fit::Outdated;
    }
    let opened = || -> rusqlite::Result<Fit> {
        let connection = Connection::open(&path)?;
        if connection.is_readonly("main")? {
            return Ok(Fit::Unusable("it is not writable".to_owned()));
        }
        let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version != fingerprint() {
            return Ok(Fit::Outdated);
        }
        let (seq, epoch) = progress(&connection)?;
        if epoch != source.epoch || !has(events, &connection, seq)? {
            return Ok(Fit::Outdated);
        }
        let forgotten: i64 =
            connection.query_row("SELECT forgotten FROM progress", [], |row| row.get(0))?;
        let deleted = deleted_through(events)?;
        if !(deleted..=deleted + MAX_AHEAD).contains(&forgotten) {
            return Ok(Fit::Outdated);
        }
        connection.execute_batch(PRAGMAS)?;
        // A trial write reveals a file that is not writable.
        connection.execute_batch("BEGIN IMMEDIATE; UPDATE progress SET seq = seq; COMMIT;")?;
        Ok(Fit::Fits(connection))
    };
    opened().unwrap_or_else(|failure| Fit::Unusable(failure.to_string()))
}

/// Whether the projection has the same epoch as the events but an event that they lack.
pub(crate) fn is_ahead(database: &Path, events: &Connection, epoch: &str) -> bool {
    let check = || -> rusqlite::Result<bool> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let projection = Connection::open_with_flags(path_of(database), flags)?;
        let (seq, of_epoch) = progress(&projection)?;
        Ok(of_epoch == epoch && !has(events, &projection, seq)?)
    };
    // An unreadable projection proves nothing.
    check().unwrap_or(false)
}

/// Gives the projection a new epoch, if it has the epoch `from`: its events are still the same.
pub(crate) fn move_epoch(database: &Path, from: &str, to: &str) -> rusqlite::Result<()> {
    let path = path_of(database);
    if !path.exists() {
        return Ok(());
    }
    let projection = Connection::open(path)?;
    let renamed = "UPDATE progress SET epoch = ?2 WHERE epoch = ?1";
    projection.execute(renamed, [from, to]).map(drop)
}

/// The last projected seq and the epoch of a projection, or the reason why it does not fit this version of the
/// program and these events.
pub(crate) fn fitting(
    projection: &Connection,
    events: &Connection,
) -> rusqlite::Result<Result<(i64, String), &'static str>> {
    let version: i32 = projection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version != fingerprint() {
        return Ok(Err(
            "another version wrote it; a server of this version derives it again when it starts",
        ));
    }
    let (seq, epoch) = progress(projection)?;
    if !has(events, projection, seq)? {
        return Ok(Err(
            "it belongs to other events; a server derives it again when it starts",
        ));
    }
    Ok(Ok((seq, epoch)))
}

fn progress(projection: &Connection) -> rusqlite::Result<(i64, String)> {
    projection.query_row("SELECT seq, epoch FROM progress", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

/// Whether the last projected event is among these events, or was the newest of those that retention deleted.
fn has(events: &Connection, projection: &Connection, seq: i64) -> rusqlite::Result<bool> {
    let digest: Option<[u8; 32]> =
        projection.query_row("SELECT digest FROM progress", [], |row| row.get(0))?;
    let event = events
        .query_row("SELECT digest FROM event WHERE seq = ?1", [seq], |row| {
            row.get::<_, [u8; 32]>(0)
        })
        .optional();
    Ok(match event {
        Ok(None) if seq > 0 && seq == deleted_through(events)? => true,
        Ok(event) => event == digest,
        // The projection stores no digest for an unreadable event either.
        Err(_) => digest.is_none(),
    })
}

/// Checks the whole file on disk with SQLite's `quick_check`.
///
/// # Errors
///
/// The first problem that SQLite reports.
pub(super) fn check(database: &Path) -> Result<(), String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let found = Connection::open_with_flags(path_of(database), flags).and_then(|connection| {
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
    });
    match found {
        Ok(found) if found == "ok" => Ok(()),
        Ok(found) => Err(found),
        Err(failure) => Err(failure.to_string()),
    }
}

/// The metadata of the file and its WAL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp([Option<FileStamp>; 2]);

#[derive(Debug, Clone, PartialEq, Eq)]
struct FileStamp {
    device_and_inode: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
    owner: (u32, u32, u32),
}

impl Stamp {
    /// Whether the main file, without its WAL, exists and is the same.
    pub(super) fn has_same_main_file(&self, other: &Self) -> bool {
        self.0[0].is_some() && self.0[0] == other.0[0]
    }

    /// The current metadata of the projection of `database`.
    pub(super) fn of(database: &Path) -> Self {
        let path = path_of(database);
        Self([path.clone(), with_ending(&path, "-wal")].map(|path| {
            let metadata = fs::metadata(path).ok()?;
            Some(FileStamp {
                device_and_inode: (metadata.dev(), metadata.ino()),
                bytes: metadata.len(),
                modified: (metadata.mtime(), metadata.mtime_nsec()),
                owner: (metadata.uid(), metadata.gid(), metadata.mode()),
            })
        }))
    }
}

fn fingerprint() -> i32 {
    let digest = Sha256::new()
        .chain_update(VERSION.to_be_bytes())
        .chain_update(SCHEMA)
        .finalize();
    i32::from_be_bytes(std::array::from_fn(|index| digest[index]))
}
