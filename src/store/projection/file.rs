//! The file of the projection: opened where it fits the program and the events, else made anew.
//!
//! Only the projection's own connection writes the file. So whenever its times, its size or its inode
//! (or those of its WAL) are not what that connection left behind, somebody else has changed it, and
//! it is not trusted any more, whether SQLite would notice the change or not.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use sha2::{Digest, Sha256};
use tracing::error;

use crate::store::error::OpenError;
use crate::store::lock;

const SCHEMA: &str = include_str!("schema.sql");

/// Counts the changes of what is derived that the schema does not show.
const VERSION: u32 = 2;

const PRAGMAS: &str = "
    PRAGMA journal_mode = WAL;
    -- What a power cut takes is derived again.
    PRAGMA synchronous = NORMAL;
    PRAGMA cache_size = -6144;
    PRAGMA temp_store = MEMORY;
    -- Only when nothing else is written: see the stamp.
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA trusted_schema = OFF;";

/// What the projection is derived from.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The database with the events.
    pub(super) database: PathBuf,
    /// Its epoch.
    pub(super) epoch: String,
}

/// Whether a file can be used.
enum Fit {
    Fits(Connection),
    /// It is of another version, of other events, or there is none.
    Outdated,
    /// It cannot be read or written, with the reason.
    Unusable(String),
}

/// Where what is derived from the events at `database` is kept.
pub(crate) fn path_of(database: &Path) -> PathBuf {
    with_ending(database, ".projection")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Opens it to be written, made anew where it cannot be used.
pub(super) fn open(source: &Source, events: &Connection) -> Result<Connection, OpenError> {
    match fit(source, events) {
        Fit::Fits(connection) => Ok(connection),
        Fit::Outdated => {
            remove(&source.database)?;
            create(source)
        }
        Fit::Unusable(reason) => {
            error!(
                "`{}` cannot be used ({reason}): it is set aside, and messages, chats and calls are \
                 derived anew; events are not affected",
                path_of(&source.database).display()
            );
            replace(source)
        }
    }
}

/// Makes it anew, and keeps the file that was there beside it to be looked at. There is one such
/// file at most.
pub(super) fn replace(source: &Source) -> Result<Connection, OpenError> {
    let path = path_of(&source.database);
    // The system may have given it to another user, but the folder is ours.
    match fs::rename(&path, with_ending(&path, ".damaged")) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(OpenError::File { path, error });
        }
        _ => {}
    }
    remove(&source.database)?;
    create(source)
}

fn create(source: &Source) -> Result<Connection, OpenError> {
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
    connection.execute(
        "INSERT INTO progress VALUES (1, 0, NULL, ?1)",
        [&source.epoch],
    )?;
    Ok(connection)
}

/// Gives a file to the owner of the database, so that what root has made can be written by the
/// server. SQLite does the same for the WAL.
fn own_as(database: &Path, path: &Path) -> io::Result<()> {
    let (wanted, found) = (fs::metadata(database)?, fs::metadata(path)?);
    if (wanted.uid(), wanted.gid()) == (found.uid(), found.gid()) {
        return Ok(());
    }
    chown(path, Some(wanted.uid()), Some(wanted.gid()))
}

/// Takes it away, so that it is made anew.
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

/// Opens the events to be read.
pub(super) fn events(database: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        database,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // They are read once, from one end to the other.
    connection.pragma_update(None, "cache_size", -256)?;
    Ok(connection)
}

/// Whether the file is of this version of the program and of these events, and can be written.
fn fit(source: &Source, events: &Connection) -> Fit {
    let path = path_of(&source.database);
    if !path.exists() {
        return Fit::Outdated;
    }
    let opened = || -> rusqlite::Result<Fit> {
        let connection = Connection::open(&path)?;
        if connection.is_readonly("main")? {
            return Ok(Fit::Unusable("it cannot be written".to_owned()));
        }
        let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version != fingerprint() {
            return Ok(Fit::Outdated);
        }
        let (seq, epoch) = progress(&connection)?;
        if epoch != source.epoch || !has(events, &connection, seq)? {
            return Ok(Fit::Outdated);
        }
        connection.execute_batch(PRAGMAS)?;
        // So that what cannot be written is noticed now.
        connection.execute_batch("BEGIN IMMEDIATE; UPDATE progress SET seq = seq; COMMIT;")?;
        Ok(Fit::Fits(connection))
    };
    opened().unwrap_or_else(|failure| Fit::Unusable(failure.to_string()))
}

/// Whether the projection beside the events, of the same epoch, has an event that they do not have.
pub(crate) fn is_ahead(database: &Path, events: &Connection, epoch: &str) -> bool {
    let asked = || -> rusqlite::Result<bool> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let projection = Connection::open_with_flags(path_of(database), flags)?;
        let (seq, of_epoch) = progress(&projection)?;
        Ok(of_epoch == epoch && !has(events, &projection, seq)?)
    };
    // One that cannot be read says nothing.
    asked().unwrap_or(false)
}

fn progress(projection: &Connection) -> rusqlite::Result<(i64, String)> {
    projection.query_row("SELECT seq, epoch FROM progress", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

/// Whether the event that the projection has come to is one of these.
fn has(events: &Connection, projection: &Connection, seq: i64) -> rusqlite::Result<bool> {
    let digest: Option<[u8; 32]> =
        projection.query_row("SELECT digest FROM progress", [], |row| row.get(0))?;
    let event = events
        .query_row("SELECT digest FROM event WHERE seq = ?1", [seq], |row| {
            row.get::<_, [u8; 32]>(0)
        })
        .optional();
    Ok(match event {
        Ok(event) => event == digest,
        // An event that cannot be read has no digest in the projection either.
        Err(_) => digest.is_none(),
    })
}

/// Looks at the whole file as it is on disk: what SQLite finds wrong in its structure.
///
/// # Errors
///
/// The first thing that is wrong.
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

/// What the file and its WAL look like from outside.
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
    /// Whether the file itself, without its WAL, is the same.
    pub(super) fn has_same_main_file(&self, other: &Self) -> bool {
        self.0[0].is_some() && self.0[0] == other.0[0]
    }

    /// Of the projection of `database`, as it is now.
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
    i32::from_be_bytes(std::array::from_fn(|place| digest[place]))
}
