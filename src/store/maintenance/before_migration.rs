//! A copy of the database beside it, before a newer version migrates it. A migration cannot be undone; the
//! older version can open the copy.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tracing::info;

use super::database::{applied_version, newest_version, recognize};
use super::identity;
use crate::store::beside::with_ending;
use crate::store::disk::{folder_of, free_bytes, sync};
use crate::store::error::OpenError;
use crate::store::lock::{self, Lock};

/// Pages that are copied at once.
const PAGES: i32 = 4096;

/// Copies that are kept for one migration, if the database differs each time. Further ones are an error.
const COPIES: u32 = 100;

/// Copies the database at `path` if it has events and the program would migrate it. Returns the path of the copy,
/// which is then on disk. A copy that is there already is not written again.
///
/// # Errors
///
/// Another program uses the database, the disk has no room, or a file cannot be read or written.
pub fn copy_before_migration(path: &Path) -> Result<Option<PathBuf>, OpenError> {
    if !path.exists() {
        return Ok(None);
    }
    let lock = Lock::take(path)?;
    let path = lock.path();
    let connection = Connection::open(path)?;
    // What is wrong with the file is reported when it is opened to be served.
    if recognize(&connection, path).is_err() {
        return Ok(None);
    }
    let (Some(applied), Some(newest)) = (applied_version(&connection), newest_version()) else {
        return Ok(None);
    };
    let newest_event = "SELECT seq, digest FROM event ORDER BY seq DESC LIMIT 1";
    let read_newest = |connection: &Connection| -> rusqlite::Result<Option<(i64, Vec<u8>)>> {
        connection
            .query_row(newest_event, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
    };
    let event = read_newest(&connection)?;
    if applied >= newest || event.is_none() {
        return Ok(None);
    }
    for number in 1..=COPIES {
        let copy = name_of(path, newest, number);
        if !copy.exists() {
            write(&connection, path, &copy)?;
            return Ok(Some(copy));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let is_same = Connection::open_with_flags(&copy, flags).and_then(|found| {
            Ok(applied_version(&found) == Some(applied) && read_newest(&found)? == event)
        });
        if is_same.unwrap_or(false) {
            return Ok(Some(copy));
        }
    }
    Err(OpenError::File {
        path: name_of(path, newest, COPIES),
        error: std::io::ErrorKind::AlreadyExists.into(),
    })
}

/// The path of a copy: `NAME.before-migration-VERSION.db`, with a number from the second one on.
fn name_of(path: &Path, version: i64, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".before-migration-{version}"));
    if number > 1 {
        name.push(format!(".{number}"));
    }
    name.push(".db");
    PathBuf::from(name)
}

fn write(connection: &Connection, path: &Path, copy: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::File {
        path: copy.to_owned(),
        error,
    };
    let wal = fs::metadata(with_ending(path, "-wal")).map_or(0, |wal| wal.len());
    let needed = fs::metadata(path).map_err(failed)?.len() + wal;
    let free = free_bytes(folder_of(path)).map_err(failed)?;
    if free < needed {
        return Err(OpenError::NoRoomForCopy {
            path: path.to_owned(),
            needed,
            free,
        });
    }
    info!(
        "copying the database to `{}` before it is migrated",
        copy.display()
    );
    let partial = with_ending(copy, ".partial");
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    drop(lock::create(&partial).map_err(failed)?);
    let mut target = Connection::open(&partial)?;
    // The whole file is synced at the end.
    target.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")?;
    Backup::new(connection, &mut target)?.run_to_completion(PAGES, Duration::ZERO, None)?;
    target.close().map_err(|(_, failure)| failure)?;
    // The copy has the header of a database in WAL mode. In rollback mode every program reads
    // it as a single file.
    let target = Connection::open(&partial)?;
    target.query_row("PRAGMA journal_mode = DELETE", [], |row| {
        row.get::<_, String>(0)
    })?;
    if identity::epoch(&target)?.is_some() {
        target.execute("UPDATE identity SET inode = ?1", [identity::NO_INODE])?;
    }
    target.close().map_err(|(_, failure)| failure)?;
    sync(&partial).map_err(failed)?;
    fs::rename(&partial, copy).map_err(failed)?;
    sync(copy).map_err(failed)
}
