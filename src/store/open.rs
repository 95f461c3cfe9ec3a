//! Opens the database: everything that could go wrong later is looked for now.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions, Connection as _};

use super::writer::{self, Writer, WriterThread};
use super::{Commits, OpenError, Reader, pragma};

/// SQLite 3.51.3, as `sqlite3_libversion_number` says it.
const LEAST_SQLITE: i32 = 3_051_003;

/// Marks the file as ours: "GINB".
const APPLICATION_ID: i64 = 0x4749_4e42;

/// Connections that read at one time.
const READERS: u32 = 4;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// The opened database.
#[derive(Debug)]
pub struct Store {
    /// Appends.
    pub writer: Writer,
    /// Reads.
    pub reader: Reader,
    /// Says what was committed.
    pub commits: Commits,
    /// The thread behind the writer, to wait for at the end.
    pub thread: WriterThread,
}

/// Opens the database at `path`, made and brought up to date where needed, and starts its writer.
/// `max_waiting` notifications may wait for the disk.
///
/// # Errors
///
/// Anything that would make a later answer untrue: a folder that cannot be written, an SQLite with
/// a known bug, a setting that does not hold, a schema that is newer than this program.
pub async fn open(path: &Path, max_waiting: usize) -> Result<Store, OpenError> {
    if rusqlite::version_number() < LEAST_SQLITE {
        return Err(OpenError::OldSqlite(rusqlite::version()));
    }
    probe_folder(path)?;
    let lock = lock(path)?;
    let connection = Connection::open(path)?;
    refuse_foreign(&connection, path)?;
    pragma::set(&connection)?;
    // At every start, as a first real write.
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    migrate(path).await?;
    let newest = connection.query_row("SELECT coalesce(max(seq), 0) FROM event", [], |row| {
        row.get::<_, i64>(0)
    })?;
    let (writer, commits, thread) = writer::start(connection, lock, newest, max_waiting)?;
    let reader = reader(path).await?;
    Ok(Store {
        writer,
        reader,
        commits,
        thread,
    })
}

/// Writes a file beside the database and takes it away again.
fn probe_folder(path: &Path) -> Result<(), OpenError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let probe = folder.join(format!(".green-inbox-probe-{}", std::process::id()));
    fs::create_dir_all(folder)
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

/// Keeps a second server off the same file; the system drops the lock with the process.
fn lock(path: &Path) -> Result<File, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let folder = |error| OpenError::Folder {
        folder: name.clone(),
        error,
    };
    let file = File::create(&name).map_err(folder)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(folder(error)),
    }
}

/// Refuses the database of another program, before anything is changed in it.
fn refuse_foreign(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let id = connection.pragma_query_value(None, "application_id", |row| row.get::<_, i64>(0))?;
    let empty = connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
        row.get(0)
    })?;
    if id != APPLICATION_ID && !(id == 0 && empty) {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    Ok(())
}

async fn migrate(path: &Path) -> Result<(), OpenError> {
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await?;
    let result = MIGRATIONS.run(&mut connection).await;
    connection.close().await?;
    result.map_err(|error| match error {
        MigrateError::VersionMissing(version) => OpenError::Newer {
            path: path.to_owned(),
            version,
        },
        error => OpenError::Migrate(error),
    })
}

async fn reader(path: &Path) -> Result<Reader, OpenError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .pragma("query_only", "ON")
        .pragma("trusted_schema", "OFF")
        .busy_timeout(Duration::from_secs(5));
    let pool = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .connect_with(options)
        .await?;
    Ok(Reader::new(pool))
}
