//! Opens the database: everything that could go wrong later is looked for now.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions, Connection as _};
use tracing::{info, warn};

use super::checkpoint::Checkpoints;
use super::lock::{Lock, create_folder};
use super::projection::{self, Projected, ProjectionThread};
use super::reader::{Lists, Parts};
use super::watch::Watch;
use super::writer::{self, Writer, WriterThread};
use super::{AnswerMemory, Commits, OpenError, Reader, identity, pragma};

/// SQLite 3.51.3, as `sqlite3_libversion_number` says it.
const LEAST_SQLITE: i32 = 3_051_003;

/// Marks the file as ours: "GINB".
const APPLICATION_ID: i64 = 0x4749_4e42;

/// Connections that read the events at one time. Each has a thread, which keeps some of the memory that
/// the largest body has taken, so that there are few.
const EVENT_READERS: u32 = 2;

/// Connections that read lists at one time.
const LIST_READERS: u32 = 3;

/// Pages that a connection keeps of each file, in KiB: the system has them too.
const CACHE_KIB: &str = "-1024";

/// Bytes that answers in flight may hold, where nothing else is configured.
const ANSWER_MEMORY: u32 = 64 * 1024 * 1024;

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
    /// Says how far what is derived from the events is.
    pub projected: Projected,
    /// The thread behind that, to wait for at the very end.
    pub projection: ProjectionThread,
}

/// Opens the database at `path`, made and brought up to date where needed, and starts its writer.
/// `max_waiting` notifications may wait for the disk, and the file may have `max_bytes`, where that
/// is not 0.
///
/// # Errors
///
/// Anything that would make a later answer untrue: a folder that cannot be written, an SQLite with
/// a known bug, a setting that does not hold, a schema that is newer than this program.
pub async fn open(path: &Path, max_waiting: usize, max_bytes: u64) -> Result<Store, OpenError> {
    let Exclusive {
        connection,
        lock,
        epoch,
    } = exclusive(path, false).await?;
    // What is beside the database is beside the file itself, wherever a link to it is.
    let path = lock.path().to_owned();
    if max_bytes > 0 {
        bound(&connection, max_bytes)?;
    }
    let newest = connection.query_row("SELECT coalesce(max(seq), 0) FROM event", [], |row| {
        row.get::<_, i64>(0)
    })?;
    let (waker, ear) = projection::waker();
    let checkpoints = Checkpoints::start(&path)?;
    let watch = Watch::new(&path)?;
    let (writer, commits, thread) = writer::start(
        connection,
        newest,
        max_waiting,
        checkpoints,
        watch,
        waker.clone(),
    )?;
    let lock = Arc::new(lock);
    let (projected, projection) =
        projection::start(Arc::clone(&lock), &epoch, commits.clone(), waker, ear)?;
    let reader = reader(lock, epoch, projected.clone()).await?;
    Ok(Store {
        writer,
        reader,
        commits,
        thread,
        projected,
        projection,
    })
}

/// The database opened to be written by nobody else.
pub(super) struct Exclusive {
    // Dropped in this order: SQLite's locks need the lock's descriptor to stay open.
    pub(super) connection: Connection,
    pub(super) lock: Lock,
    pub(super) epoch: String,
}

/// Opens the database to be written by nobody else, made and brought up to date where needed.
pub(super) async fn exclusive(path: &Path, is_reprocessed: bool) -> Result<Exclusive, OpenError> {
    check_version(rusqlite::version_number(), rusqlite::version())?;
    probe_folder(path)?;
    let lock = Lock::take(path)?;
    let path = lock.path();
    let connection = Connection::open(path)?;
    set_up(&connection, path).map_err(|error| named(error, path))?;
    let connection = migrate(path, connection)
        .await
        .map_err(|error| named(error, path))?;
    let epoch = identity::establish(&connection, &lock, is_reprocessed)
        .map_err(|error| named(error, path))?;
    Ok(Exclusive {
        connection,
        lock,
        epoch,
    })
}

fn set_up(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    recognize(connection, path)?;
    pragma::set(connection)?;
    // At every start, as a first real write.
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    Ok(())
}

/// Names the file where its pages are not what they should be.
fn named(error: OpenError, path: &Path) -> OpenError {
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

/// Lets the file grow to `bytes` and no further; where it is larger already, no further than it is.
fn bound(connection: &Connection, bytes: u64) -> rusqlite::Result<()> {
    let page_size = connection.pragma_query_value(None, "page_size", |row| row.get::<_, u32>(0))?;
    // SQLite holds as many as 32 bits can say.
    let pages = u32::try_from(bytes / u64::from(page_size)).unwrap_or(u32::MAX - 1);
    let most = connection
        .pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, u32>(0))?;
    if most > pages {
        warn!(
            "the database is larger than storage.max_bytes already: it takes nothing more; help: \
             raise storage.max_bytes, and start again"
        );
    }
    Ok(())
}

fn check_version(number: i32, version: &'static str) -> Result<(), OpenError> {
    if number < LEAST_SQLITE {
        Err(OpenError::OldSqlite(version))
    } else {
        Ok(())
    }
}

/// Writes a file beside the database and takes it away again.
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

/// Refuses what is not ours, before anything in it is changed.
pub(super) fn recognize(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let ours = || -> rusqlite::Result<bool> {
        let id =
            connection.pragma_query_value(None, "application_id", |row| row.get::<_, i64>(0))?;
        let empty = connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
            row.get::<_, bool>(0)
        })?;
        Ok(id == APPLICATION_ID || (id == 0 && empty))
    };
    match ours() {
        Ok(true) => Ok(()),
        Err(error) if error.sqlite_error_code() != Some(ErrorCode::NotADatabase) => {
            Err(error.into())
        }
        Ok(false) | Err(_) => Err(OpenError::Foreign(path.to_owned())),
    }
}

async fn migrate(path: &Path, events: Connection) -> Result<Connection, OpenError> {
    tell_of_migration(&events);
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

async fn reader(lock: Arc<Lock>, epoch: String, projected: Projected) -> Result<Reader, OpenError> {
    let options = SqliteConnectOptions::new()
        .filename(lock.path())
        .read_only(true)
        .pragma("query_only", "ON")
        .pragma("trusted_schema", "OFF")
        .pragma("cache_size", CACHE_KIB)
        .busy_timeout(Duration::from_secs(5));
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(5))
            .test_before_acquire(false)
    };
    let projection = projection::path_of(lock.path()).display().to_string();
    let lists = Lists::new({
        let options = options.clone();
        move || {
            let projection = projection.clone();
            let attached = pool(LIST_READERS).after_connect(move |connection, _| {
                let projection = projection.clone();
                Box::pin(async move {
                    // It is opened as the events are: to be read.
                    sqlx::query("ATTACH DATABASE ? AS projection")
                        .bind(projection)
                        .execute(&mut *connection)
                        .await?;
                    sqlx::query("PRAGMA projection.cache_size = -1024")
                        .execute(connection)
                        .await
                        .map(drop)
                })
            });
            attached.connect_lazy_with(options.clone())
        }
    });
    Ok(Reader::new(Parts {
        events: pool(EVENT_READERS).connect_with(options.clone()).await?,
        health: pool(1).connect_with(options).await?,
        lists,
        projected,
        epoch,
        lock,
        memory: AnswerMemory::new(ANSWER_MEMORY),
    }))
}

/// Says that an older database is brought up to date, which may take minutes.
fn tell_of_migration(events: &Connection) {
    let applied = "SELECT max(version) FROM _sqlx_migrations WHERE success";
    let newest = MIGRATIONS.iter().map(|migration| migration.version).max();
    // A new database has no such table yet.
    let applied: Option<i64> = events.query_row(applied, [], |row| row.get(0)).ok();
    if let (Some(applied), Some(newest)) = (applied, newest)
        && applied < newest
    {
        let count = "SELECT coalesce(max(seq), 0) FROM event";
        let newest_seq: i64 = events.query_row(count, [], |row| row.get(0)).unwrap_or(0);
        info!(
            "bringing the database from schema {applied} to {newest}, up to seq {newest_seq}; it \
             can be stopped at any time, and begins again at the next start"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::check_version;

    #[test]
    fn an_sqlite_that_can_lose_commits_is_refused() {
        let error = check_version(3_051_002, "3.51.2").unwrap_err().to_string();
        assert!(
            error.contains("3.51.2") && error.contains("3.51.3 or newer"),
            "{error}"
        );
        assert!(check_version(3_051_003, "3.51.3").is_ok());
        assert!(check_version(rusqlite::version_number(), rusqlite::version()).is_ok());
    }
}
