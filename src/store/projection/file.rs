//! The file of the projection: opened where it fits the program and the events, else made anew.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use sha2::{Digest, Sha256};

use crate::store::OpenError;

const SCHEMA: &str = include_str!("schema.sql");

/// Counts the changes of what is derived that the schema does not show.
const VERSION: u32 = 1;

/// Bytes of the log after which it is moved into the file.
const PRAGMAS: &str = "
    PRAGMA journal_mode = WAL;
    -- What a power cut takes is derived again.
    PRAGMA synchronous = NORMAL;
    PRAGMA cache_size = -6144;
    PRAGMA temp_store = MEMORY;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA trusted_schema = OFF;";

/// Where what is derived from the events at `database` is kept.
pub(crate) fn path_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".projection");
    PathBuf::from(name)
}

/// Opens it to be written.
pub(super) fn open(database: &Path, events: &Connection) -> Result<Connection, OpenError> {
    let path = path_of(database);
    if let Ok(connection) = Connection::open(&path)
        && fits(&connection, events).unwrap_or(false)
    {
        connection.execute_batch(PRAGMAS)?;
        return Ok(connection);
    }
    remove(database)?;
    let connection = Connection::open(&path)?;
    connection.execute_batch(PRAGMAS)?;
    connection.execute_batch(&format!(
        "BEGIN; {SCHEMA} INSERT INTO progress VALUES (1, 0, NULL); PRAGMA user_version = {}; COMMIT;",
        fingerprint()
    ))?;
    Ok(connection)
}

/// Takes it away, so that it is made anew.
pub(crate) fn remove(database: &Path) -> Result<(), OpenError> {
    for ending in ["", "-wal", "-shm"] {
        let mut name = path_of(database).into_os_string();
        name.push(ending);
        let name = PathBuf::from(name);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(OpenError::Folder {
                    folder: name,
                    error,
                });
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

/// Whether it is of this version of the program, and of these events.
fn fits(connection: &Connection, events: &Connection) -> rusqlite::Result<bool> {
    let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version != fingerprint() {
        return Ok(false);
    }
    let (seq, digest) = connection.query_row("SELECT seq, digest FROM progress", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Option<[u8; 32]>>(1)?))
    })?;
    let event: Option<[u8; 32]> = events
        .query_row("SELECT digest FROM event WHERE seq = ?1", [seq], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(event == digest)
}

fn fingerprint() -> i32 {
    let digest = Sha256::new()
        .chain_update(VERSION.to_be_bytes())
        .chain_update(SCHEMA)
        .finalize();
    i32::from_be_bytes(std::array::from_fn(|place| digest[place]))
}
