//! Opening: the settings of a new database, and which files are refused.

use std::path::Path;

use green_inbox::store::{self, OpenError};

use super::{body, close, connect, number, open, place};
use crate::support::append_all;

/// Asserts every setting that is stored in the file, and its integrity.
fn check_settings(path: &Path) {
    let connection = connect(path);
    let mode: String = connection
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    // 2 is INCREMENTAL.
    assert_eq!(number(&connection, "PRAGMA auto_vacuum"), 2);
    assert_eq!(number(&connection, "PRAGMA application_id"), 0x4749_4e42);
    let migrations = "SELECT count(*) FROM _sqlx_migrations";
    let done = number(&connection, &format!("{migrations} WHERE success"));
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"));
    // The folder in it has the migrations of PostgreSQL.
    let files = files.unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "sql"));
    assert_eq!(usize::try_from(done).unwrap(), files.count());
    assert_eq!(number(&connection, migrations), done);
    let loose = "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND NOT strict \
                 AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_sqlx_%'";
    assert_eq!(number(&connection, loose), 0);
    let integrity: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(integrity, "ok");
}

#[tokio::test]
async fn file_settings_persist_across_reopening() {
    let (_folder, path) = place();
    for (before, round) in (0..3).enumerate() {
        let store = open(&path).await;
        check_settings(&path);
        assert_eq!(store.commits.newest(), round);
        append_all(&store.writer, [body("note", before)]).await[0].unwrap();
        close(store).await;
        check_settings(&path);
    }
}

#[tokio::test]
async fn missing_folders_are_created_and_the_probe_is_removed() {
    let (folder, _) = place();
    let path = folder.path().join("a/b/inbox.db");
    close(open(&path).await).await;
    let mut names: Vec<_> = std::fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    names.sort();
    assert_eq!(names, ["inbox.db", "inbox.db.projection"]);
}

#[tokio::test]
async fn second_open_is_refused_as_in_use() {
    let (_folder, path) = place();
    let store = open(&path).await;
    let second = store::open(&path, 16, 0).await;
    assert!(matches!(second, Err(OpenError::InUse(_))), "{second:?}");
    // The failed attempt does not affect the first store.
    append_all(&store.writer, [body("note", 1)]).await[0].unwrap();
    close(store).await;
    close(open(&path).await).await;
}

#[tokio::test]
async fn foreign_database_is_refused_and_not_changed() {
    for theirs in [
        "CREATE TABLE theirs (a)",
        // Same settings as green-inbox, except the application id.
        "PRAGMA application_id = 7; PRAGMA auto_vacuum = 2; CREATE TABLE theirs (a)",
        "PRAGMA application_id = 7",
    ] {
        let (_folder, path) = place();
        connect(&path).execute_batch(theirs).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let refused = store::open(&path, 16, 0).await;
        assert!(matches!(refused, Err(OpenError::Foreign(_))), "{refused:?}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{theirs}");
    }
}

#[tokio::test]
async fn newer_schema_is_refused() {
    let (_folder, path) = place();
    close(open(&path).await).await;
    let newer = "INSERT INTO _sqlx_migrations
                 SELECT 9999, 'later', installed_on, success, checksum, execution_time
                 FROM _sqlx_migrations LIMIT 1";
    connect(&path).execute_batch(newer).unwrap();
    let refused = store::open(&path, 16, 0).await;
    assert!(
        matches!(refused, Err(OpenError::Newer { version: 9999, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn non_database_file_is_refused() {
    let (_folder, path) = place();
    std::fs::write(&path, "not a database, whatever its name says".repeat(100)).unwrap();
    let refused = store::open(&path, 16, 0).await;
    assert!(matches!(refused, Err(OpenError::Foreign(_))), "{refused:?}");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("not a"));
}
