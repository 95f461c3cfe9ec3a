//! Verifies the projection: derives a fresh one in a temporary folder and compares the two.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::check::{Check, Progress};
use super::compare::compare;
use super::structure;
use crate::store::damaged::DamagedSeqs;
use crate::store::maintenance::{database, identity};
use crate::store::past;
use crate::store::projection::{self, AdvanceError, Projection};

/// Pages of the projection that are copied at once. All of them, so that the copy is of one moment.
const ALL_PAGES: i32 = -1;

/// Pause before the copy is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// What was found out about the projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DerivedCheck {
    /// It equals a fresh projection of the events up to this seq.
    Same(i64),
    /// It differs, or it could not be verified.
    Differs {
        /// What is wrong.
        problem: String,
        /// The events that differing rows refer to.
        seqs: DamagedSeqs,
    },
    /// It was not verified, for this reason.
    Skipped(String),
}

impl DerivedCheck {
    fn differs(problem: impl Into<String>) -> Self {
        Self::Differs {
            problem: problem.into(),
            seqs: DamagedSeqs::default(),
        }
    }
}

/// Verifies the projection beside the database at `path`.
pub(super) fn verify(path: &Path, events: &Connection, progress: Progress<'_>) -> DerivedCheck {
    if !projection::path_of(path).exists() {
        let reason = "there is none; a server derives it when it starts";
        return DerivedCheck::Skipped(reason.to_owned());
    }
    if database::applied_version(events) != database::newest_version() {
        let reason = "the database has the schema of another version; a server of this version migrates it when it \
                      starts";
        return DerivedCheck::Skipped(reason.to_owned());
    }
    // The system's folder for temporary files, or if there is none, that of the database.
    let folder = tempfile::tempdir().or_else(|_| {
        let beside = path.parent().unwrap_or(Path::new("."));
        tempfile::tempdir_in(beside)
    });
    match folder {
        Ok(folder) => verify_in(&folder, path, events, progress),
        Err(error) => DerivedCheck::differs(format!(
            "it could not be verified: no temporary folder can be created: {error}"
        )),
    }
}

fn verify_in(
    folder: &TempDir,
    path: &Path,
    events: &Connection,
    progress: Progress<'_>,
) -> DerivedCheck {
    let found = match copy(&projection::path_of(path), &folder.path().join("found")) {
        Ok(found) => found,
        Err(failure) => return DerivedCheck::differs(failure.to_string()),
    };
    if let [problem, ..] = structure::problems(&found).as_slice() {
        return DerivedCheck::differs(problem);
    }
    let (seq, epoch) = match projection::fitting(&found, events) {
        Ok(Ok(fitting)) => fitting,
        Ok(Err(reason)) => return DerivedCheck::Skipped(reason.to_owned()),
        Err(failure) => return DerivedCheck::differs(failure.to_string()),
    };
    if !identity::epoch(events).is_ok_and(|own| own.as_deref() == Some(epoch.as_str())) {
        let reason = "it belongs to another database, or to this one before it was restored or \
                      reprocessed; a server derives it again when it starts";
        return DerivedCheck::Skipped(reason.to_owned());
    }
    let forgotten = match forgotten(&found) {
        Ok(forgotten) => forgotten,
        Err(failure) => return DerivedCheck::differs(failure.to_string()),
    };
    let fresh = match derive(folder, path, (&epoch, forgotten, seq), progress) {
        Ok(fresh) => fresh,
        Err(problem) => {
            return DerivedCheck::differs(format!("it could not be verified: {problem}"));
        }
    };
    // Retention of a running server may have deleted events that the copy still has.
    if past::deleted_through(events).is_ok_and(|seq| seq > forgotten) {
        let reason = "events were deleted meanwhile\n  help: run the command again";
        return DerivedCheck::Skipped(reason.to_owned());
    }
    let compared = compare(&found, &fresh, forgotten, |step, steps| {
        progress(Check::Compare, step, steps);
    });
    match compared {
        Err(failure) => DerivedCheck::differs(failure.to_string()),
        Ok(differences) if differences.tables.is_empty() => DerivedCheck::Same(seq),
        Ok(differences) => {
            let tables: Vec<_> = differences.tables.into_iter().collect();
            DerivedCheck::Differs {
                problem: format!("it differs from a fresh one in: {}", tables.join(", ")),
                seqs: differences.seqs,
            }
        }
    }
}

/// Copies the projection as it is at this moment, so that a running server does not wait for the comparison.
fn copy(from: &Path, to: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let from = Connection::open_with_flags(from, flags)?;
    from.busy_timeout(Duration::from_secs(5))?;
    let mut copy = Connection::open(to)?;
    copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")?;
    let backup = Backup::new(&from, &mut copy)?;
    // A server that recovers its WAL holds a lock for a moment.
    while backup.step(ALL_PAGES)? != StepResult::Done {
        thread::sleep(PAUSE);
    }
    drop(backup);
    Ok(copy)
}

/// The last event that a projection has forgotten, because it is deleted or about to be.
fn forgotten(projection: &Connection) -> rusqlite::Result<i64> {
    projection.query_row("SELECT forgotten FROM progress", [], |row| row.get(0))
}

/// Derives a fresh projection of the events after `forgotten`, up to `end`.
fn derive(
    folder: &TempDir,
    path: &Path,
    (epoch, forgotten, end): (&str, i64, i64),
    progress: Progress<'_>,
) -> Result<Connection, String> {
    // The projection is beside the name of its database, and SQLite follows the link to the events and their WAL.
    let link = folder.path().join("fresh.db");
    symlink(path, &link).map_err(|error| error.to_string())?;
    let mut fresh =
        Projection::create(&link, epoch, forgotten).map_err(|error| error.to_string())?;
    loop {
        match fresh.advance_to(end) {
            Ok(true) => progress(
                Check::Derive,
                fresh.seq().unsigned_abs(),
                end.unsigned_abs(),
            ),
            Ok(false) => break,
            Err(AdvanceError::Lost(problem)) => return Err(problem),
            Err(AdvanceError::Transient(failure)) => return Err(failure.to_string()),
        }
    }
    drop(fresh);
    Connection::open(projection::path_of(&link)).map_err(|failure| failure.to_string())
}
