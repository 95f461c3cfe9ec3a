//! Opens the database for one process: checks SQLite, the folder and the file, takes the lock, migrates and
//! establishes the epoch.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use rusqlite::{Connection, ErrorCode};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection as _};
use tracing::info;

use super::identity;
use crate::store::dictionary;
use crate::store::error::OpenError;
use crate::store::lock::{Lock, create_folder};
use crate::store::pragma;

/// Oldest accepted SQLite: 3.51.3, as `sqlite3_libversion_number` reports it.
const MIN_SQLITE: i32 = 3_051_003;

/// Marks the file as a green-inbox database: "GINB".
pub(in crate::store) const APPLICATION_ID: i64 = 0x4749_4e42;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// The database, open with the lock held, so that no other server writes to it.
pub(in crate::store) struct Exclusive {
    // Fields drop in this order: SQLite's locks need the lock's descriptor to stay open.
    pub(in crate::store) connection: Connection,
    pub(in crate::store) lock: Lock,
    pub(in crate::store) epoch: String,
}

/// Opens and locks the database, creating or migrating it if needed.
pub(in crate::store) async fn exclusive(
    path: &Path,
    is_reprocessed: bool,
) -> Result<Exclusive, OpenError> {
    check_version(rusqlite::version_number(), rusqlite::version())?;
    probe_folder(path)?;
    let lock = Lock::take(path)?;
    let path = lock.path();
    let connection = Connection::open(path)?;
    set_up(&connection, path).map_err(|error| name_damaged(error, path))?;
    let connection = migrate(path, connection)
        .await
        .map_err(|error| name_damaged(error, path))?;
    dictionary::insert(&connection)?;
    let epoch = identity::establish(&connection, &lock, is_reprocessed)
        .map_err(|error| name_damaged(error, path))?;
    Ok(Exclusive {
        connection,
        lock,
        epoch,
    })
}

fn set_up(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    recognize(connection, path)?;
    pragma::set(connection)?;
    // Set at every start: it is the first real write to the file.
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    Ok(())
}

/// Turns an error caused by corrupt pages into one that names the file.
fn name_damaged(error: OpenError, path: &Path) -> OpenError {
    let is_damage = match &error {
        OpenError::Write(failure) => {
            failure.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
        }
        OpenError::Migrate(failure) => failure.to_string().contains("malformed"),
        _ => false,
    };
    if is_damage {
        OpenError::Damaged(path.to_owned())
    } else {
        error
    }
}

fn check_version(number: i32, version: &'static str) -> Result<(), OpenError> {
    if number < MIN_SQLITE {
        Err(OpenError::OldSqlite(version))
    } else {
        Ok(())
    }
}

/// Checks that the folder is writable: creates a file beside the database, syncs it and removes it.
fn probe_folder(path: &Path) -> Result<(), OpenError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let probe = folder.join(format!(".green-inbox-probe-{}", std::process::id()));
    create_folder(folder)
        .and_then(|()| {
            let mut file = File::create(&probe)?;
            file.write_all(b"probe")?;
            file.sync_all()
        })
        .and_then(|()| fs::remove_file(&probe))
        .map_err(|error| OpenError::Folder {
            folder: folder.to_owned(),
            error,
        })
}

/// Refuses a file that is not a green-inbox database, before anything in it is changed.
pub(in crate::store) fn recognize(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let is_ours = || -> rusqlite::Result<bool> {
        let id =
            connection.pragma_query_value(None, "application_id", |row| row.get::<_, i64>(0))?;
        let empty = connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
            row.get::<_, bool>(0)
        })?;
        Ok(id == APPLICATION_ID || (id == 0 && empty))
    };
    match is_ours() {
        Ok(true) => Ok(()),
        Err(error) if error.sqlite_error_code() != Some(ErrorCode::NotADatabase) => {
            Err(error.into())
        }
        Ok(false) | Err(_) => Err(OpenError::Foreign(path.to_owned())),
    }
}

/// Refuses a database that a newer version has migrated.
pub(in crate::store) fn refuse_newer(
    connection: &Connection,
    path: &Path,
) -> Result<(), OpenError> {
    match (applied_version(connection), newest_version()) {
        (Some(applied), Some(newest)) if applied > newest => Err(OpenError::Newer {
            path: path.to_owned(),
            version: applied,
        }),
        _ => Ok(()),
    }
}

/// The version of the newest migration of this program.
pub(in crate::store) fn newest_version() -> Option<i64> {
    MIGRATIONS.iter().map(|migration| migration.version).max()
}

/// The version of the newest migration that the database has. `None` for a new database.
pub(in crate::store) fn applied_version(connection: &Connection) -> Option<i64> {
    let applied = "SELECT max(version) FROM _sqlx_migrations WHERE success";
    // A new database has no such table yet.
    connection
        .query_row(applied, [], |row| row.get(0))
        .ok()
        .flatten()
}

async fn migrate(path: &Path, events: Connection) -> Result<Connection, OpenError> {
    log_migration(&events);
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await?;
    let result = MIGRATIONS.run(&mut connection).await;
    connection.close().await?;
    result.map(|()| events).map_err(|error| match error {
        MigrateError::VersionMissing(version) => OpenError::Newer {
            path: path.to_owned(),
            version,
        },
        error => OpenError::Migrate(error),
    })
}

/// Logs that an older database is about to be migrated, which may take minutes.
fn log_migration(events: &Connection) {
    if let (Some(applied), Some(newest)) = (applied_version(events), newest_version())
        && applied < newest
    {
        let count = "SELECT coalesce(max(seq), 0) FROM event";
        let newest_seq: i64 = events.query_row(count, [], |row| row.get(0)).unwrap_or(0);
        info!(
            "migrating the database from schema {applied} to {newest}, up to seq {newest_seq}; the \
             migration can be stopped at any time and begins again at the next start"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::check_version;

    #[test]
    fn sqlite_that_can_lose_commits_is_refused() {
        let error = check_version(3_051_002, "3.51.2").unwrap_err().to_string();
        assert!(
            error.contains("3.51.2") && error.contains("3.51.3 or newer"),
            "{error}"
        );
        assert!(check_version(3_051_003, "3.51.3").is_ok());
        assert!(check_version(rusqlite::version_number(), rusqlite::version()).is_ok());
    }
}
