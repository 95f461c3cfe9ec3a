//! The copy that is made before a newer version migrates a database.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use super::assert_says;
use super::backup::{open, stop};
use crate::support::Process;
use crate::support::process::{finish, serve};

/// A folder with a database of the schema 0004.
fn old_database() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let fixture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/fixtures/0004_drift.sql");
    open(&folder.path().join("inbox.db"))
        .execute_batch(&fs::read_to_string(fixture).unwrap())
        .unwrap();
    folder
}

/// The copies in a folder.
fn copies(folder: &Path) -> Vec<PathBuf> {
    let mut copies: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains(".before-migration-"))
        .collect();
    copies.sort();
    copies
}

fn content(database: &Connection) -> (i64, Vec<(i64, Vec<u8>)>) {
    let version = "SELECT max(version) FROM _sqlx_migrations";
    let mut events = database
        .prepare("SELECT seq, body FROM event ORDER BY seq")
        .unwrap();
    let events = events
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let version = database.query_row(version, [], |row| row.get(0)).unwrap();
    (version, events)
}

#[test]
fn database_with_events_is_copied_before_it_is_migrated() {
    let folder = old_database();
    let database = folder.path().join("inbox.db");
    let before = content(&open(&database));
    assert_eq!(before.0, 4);
    // What an interrupted copy left is written again.
    let newest = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.split('_').next()?.parse::<u32>().ok())
        .max()
        .unwrap();
    let name = format!("inbox.db.before-migration-{newest}.db");
    fs::write(folder.path().join(format!("{name}.partial")), "half").unwrap();
    stop(Process::start(folder.path()));
    assert_eq!(copies(folder.path()), [folder.path().join(&name)]);
    let copy = &copies(folder.path())[0];
    assert_eq!(content(&open(copy)), before);
    assert_eq!(
        fs::metadata(copy).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(content(&open(&database)).0 > 4);
    // The next start migrates nothing and copies nothing.
    let written = fs::read(copy).unwrap();
    stop(Process::start(folder.path()));
    assert_eq!(copies(folder.path()).len(), 1);
    assert!(fs::read(copy).unwrap() == written);

    // The copy is a database too. To serve it starts a new epoch, and migrates it in turn.
    let other = tempfile::tempdir().unwrap();
    fs::copy(copy, other.path().join("inbox.db")).unwrap();
    let epoch = |path: &Path| -> String {
        open(path)
            .query_row("SELECT epoch FROM identity", [], |row| row.get(0))
            .unwrap()
    };
    stop(Process::start(other.path()));
    assert_ne!(epoch(&other.path().join("inbox.db")), epoch(&database));
}

#[test]
fn copy_of_other_events_is_kept_and_a_second_one_made() {
    let folder = old_database();
    stop(Process::start(folder.path()));
    let first = copies(folder.path()).remove(0);
    let kept = fs::read(&first).unwrap();
    // Back to the old version, which stores one more event; then the upgrade again.
    fs::copy(&first, folder.path().join("inbox.db")).unwrap();
    open(&folder.path().join("inbox.db"))
        .execute(
            "INSERT INTO event (received_at, outcome, digest, body) VALUES (1, 'unknown', zeroblob(32), x'00')",
            [],
        )
        .unwrap();
    stop(Process::start(folder.path()));
    assert_eq!(copies(folder.path()).len(), 2);
    assert!(fs::read(&first).unwrap() == kept);
}

#[test]
fn no_copy_is_made_with_no_backup_or_without_events() {
    let folder = old_database();
    stop(Process::spawn(serve(folder.path()).arg("--no-backup")));
    assert_eq!(copies(folder.path()), [] as [PathBuf; 0]);
    let folder = old_database();
    stop(Process::with(
        folder.path(),
        &[("GREEN_INBOX__BACKUP__BEFORE_MIGRATION", "false")],
    ));
    assert_eq!(copies(folder.path()), [] as [PathBuf; 0]);
    let folder = old_database();
    open(&folder.path().join("inbox.db"))
        .execute_batch("DELETE FROM repeat; DELETE FROM drift; DELETE FROM event")
        .unwrap();
    stop(Process::start(folder.path()));
    assert_eq!(copies(folder.path()), [] as [PathBuf; 0]);
}

#[test]
fn full_disk_refuses_the_migration_with_help() {
    let folder = old_database();
    let database = folder.path().join("inbox.db");
    // A hole at the end: the file seems to need more room than any disk has.
    let file = OpenOptions::new().write(true).open(&database).unwrap();
    if file.set_len(8 << 40).is_err() {
        println!("not run: this file system has no files of 8 TiB");
        return;
    }
    drop(file);
    let output = finish(&mut serve(folder.path()));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_says(
        &said,
        "has to be migrated…bytes free…help: free space…--no-backup",
    );
    assert_eq!(copies(folder.path()), [] as [PathBuf; 0]);
    assert_eq!(content(&open(&database)).0, 4);
}
