//! One run of the backup: finds out what the file is, copies what it lacks, and makes it durable.

use std::ffi::OsString;
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::backed_up::{BackedUp, Observe};
use super::copy::copy;
use super::error::BackupError;
use super::lineage::{Relation, relation};
use super::source::Source;
use super::target::Target;
use crate::store::beside::with_ending;
use crate::store::disk::{folder_of, free_bytes, sync};
use crate::store::error::OpenError;
use crate::store::lock::{Lock, create_folder};

/// Copies the database at `database` into `file`, whether or not its server runs. If `file` is an earlier backup,
/// only what is new is copied. When this returns, the file is on disk and complete by itself.
///
/// Each step calls `observe` with the last seq in the file and the seq to reach. If it breaks, the run stops, and
/// the next one continues.
///
/// # Errors
///
/// The file is no backup of this database, or one of the two cannot be read or written. The file then holds
/// what it held before, or more.
pub fn backup(
    database: &Path,
    file: &Path,
    observe: &mut dyn FnMut(i64, i64) -> ControlFlow<()>,
) -> Result<BackedUp, BackupError> {
    refuse_itself(database, file)?;
    let source = Source::open(database)?;
    create_folder(folder_of(file)).map_err(|error| OpenError::Folder {
        folder: folder_of(file).to_owned(),
        error,
    })?;
    let lock = Lock::take(file)?;
    let file = lock.path();
    let target = Target::open(file)?;
    let relation = relation(&source, &target)?;
    // Closes the WAL that a server may have left beside the file.
    target.begin(&source)?;
    if relation == Relation::Outdated {
        target.close()?;
        return replace(&source, file, observe);
    }
    refuse_without_room(&source, file, length(file))?;
    if relation == Relation::New {
        target.create(&source)?;
    }
    let done = copy(&source, &target, observe)?;
    target.close()?;
    durable(file)?;
    Ok(done)
}

/// Writes a new copy beside the file and puts it in its place once it is complete.
fn replace(source: &Source, file: &Path, observe: Observe<'_>) -> Result<BackedUp, BackupError> {
    let partial = with_ending(file, ".partial");
    if partial.exists() && is_outdated(source, &partial)? {
        remove(&partial)?;
    }
    refuse_without_room(source, file, length(&partial))?;
    let lock = Lock::take(&partial)?;
    let target = Target::open(&partial)?;
    target.begin(source)?;
    if target.is_empty()? {
        target.create(source)?;
    }
    let done = copy(source, &target, observe)?;
    target.close()?;
    drop(lock);
    durable(&partial)?;
    if done.is_complete {
        fs::rename(&partial, file).map_err(|error| system_error(file, error))?;
        durable(file)?;
    }
    Ok(BackedUp {
        is_replaced: done.is_complete,
        ..done
    })
}

/// Whether an earlier run left a copy that this one cannot continue.
fn is_outdated(source: &Source, partial: &Path) -> Result<bool, BackupError> {
    let target = Target::open(partial)?;
    Ok(relation(source, &target)? == Relation::Outdated)
}

fn remove(partial: &Path) -> Result<(), BackupError> {
    for path in [partial.to_owned(), with_ending(partial, "-journal")] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(system_error(&path, error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn durable(file: &Path) -> Result<(), BackupError> {
    sync(file).map_err(|error| system_error(file, error))
}

fn system_error(file: &Path, error: std::io::Error) -> BackupError {
    BackupError::System {
        file: file.to_owned(),
        error,
    }
}

/// Refuses the database, whatever path leads to it, and the names of the files beside it.
///
/// Neither is opened: to close the database file would drop the server's locks on it (see lock.rs).
fn refuse_itself(database: &Path, file: &Path) -> Result<(), BackupError> {
    let itself = || BackupError::Itself(file.to_owned());
    if let (Ok(database), Ok(file)) = (fs::metadata(database), fs::metadata(file))
        && (database.dev(), database.ino()) == (file.dev(), file.ino())
    {
        return Err(itself());
    }
    let beside = |path: &Path| -> Option<(PathBuf, OsString)> {
        let folder = fs::canonicalize(folder_of(path)).ok()?;
        Some((folder, path.file_name()?.to_owned()))
    };
    let canonical = fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
    if let (Some((folder, name)), Some((file_folder, file_name))) =
        (beside(&canonical), beside(file))
        && folder == file_folder
    {
        let belongs = ["-wal", "-shm", "-journal", ".projection", ".media"]
            .iter()
            .any(|ending| {
                let mut own = name.clone();
                own.push(ending);
                file_name
                    .to_string_lossy()
                    .starts_with(&*own.to_string_lossy())
            });
        if belongs || file_name == name {
            return Err(itself());
        }
    }
    Ok(())
}

/// Refuses to begin what the disk has no room for. `present` bytes of the copy are there already.
fn refuse_without_room(source: &Source, file: &Path, present: u64) -> Result<(), BackupError> {
    let needed = source
        .bytes()
        .map_err(BackupError::Read)?
        .saturating_sub(present);
    let free = free_bytes(folder_of(file)).map_err(|error| system_error(file, error))?;
    if free < needed {
        return Err(BackupError::NoRoom {
            file: file.to_owned(),
            needed,
            free,
        });
    }
    Ok(())
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |metadata| metadata.len())
}
