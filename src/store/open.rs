//! Opens a store: the database, its writer, its projection and its readers.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use super::commits::Commits;
use super::error::OpenError;
use super::lock::Lock;
use super::maintenance::database::{self, Exclusive};
use super::projection::{self, Projected, ProjectionThread};
use super::query::memory::AnswerMemory;
use super::query::reader::{Lists, Parts, Reader};
use super::write::checkpoint::Checkpoints;
use super::write::watch::Watch;
use super::write::writer::{self, Writer, WriterThread};

/// Connections that read the events at one time. Each has a thread, which keeps some of the memory that
/// the largest body has taken, so that there are few.
const EVENT_READERS: u32 = 2;

/// Connections that read lists at one time.
const LIST_READERS: u32 = 3;

/// Pages that a connection keeps of each file, in KiB: the system has them too.
const CACHE_KIB: &str = "-1024";

/// Bytes that answers in flight may hold, where nothing else is configured.
const ANSWER_MEMORY: u32 = 64 * 1024 * 1024;

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
    } = database::exclusive(path, false).await?;
    // What is beside the database is beside the file itself, wherever a link to it is.
    let path = lock.path().to_owned();
    if max_bytes > 0 {
        database::bound(&connection, max_bytes)?;
    }
    let newest = connection.query_row("SELECT coalesce(max(seq), 0) FROM event", [], |row| {
        row.get::<_, i64>(0)
    })?;
    let (notifier, receiver) = projection::notify::channel();
    let checkpoints = Checkpoints::start(&path)?;
    let watch = Watch::new(&path)?;
    let (writer, commits, thread) = writer::start(
        connection,
        newest,
        max_waiting,
        checkpoints,
        watch,
        notifier.clone(),
    )?;
    let lock = Arc::new(lock);
    let (projected, projection) = projection::start(
        Arc::clone(&lock),
        &epoch,
        commits.clone(),
        notifier,
        receiver,
    )?;
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
