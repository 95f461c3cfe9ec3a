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

/// Connections that read events concurrently; further reads wait. Each has a thread that retains some of
/// the memory of the largest body it has read, so there are few.
const EVENT_READERS: u32 = 2;

/// Connections that read lists concurrently; further reads wait.
const LIST_READERS: u32 = 3;

/// KiB of each file that a connection caches (SQLite counts KiB if the value is negative). Little is enough,
/// because the operating system's page cache has the files too.
const CACHE_KIB: &str = "-1024";

/// Bytes that responses in flight may hold unless another budget is configured; further responses wait.
const ANSWER_MEMORY: u32 = 64 * 1024 * 1024;

/// The opened database.
#[derive(Debug)]
pub struct Store {
    /// Stores notifications.
    pub writer: Writer,
    /// Reads events, messages, chats and calls.
    pub reader: Reader,
    /// Announces the newest committed event.
    pub commits: Commits,
    /// The writer's thread, to wait for at shutdown.
    pub thread: WriterThread,
    /// How far the projection has progressed.
    pub projected: Projected,
    /// The projection's thread, to wait for after the writer's.
    pub projection: ProjectionThread,
}

/// Opens the database at `path`, creating or migrating it if needed, and starts its threads. At most
/// `max_waiting` notifications wait to be committed. The file grows to at most `max_bytes`; 0 means no limit.
///
/// # Errors
///
/// Anything that would make a later answer untrue: a folder that is not writable, an SQLite with a known
/// bug, a setting that SQLite does not apply, a schema newer than this program.
pub async fn open(path: &Path, max_waiting: usize, max_bytes: u64) -> Result<Store, OpenError> {
    let Exclusive {
        connection,
        lock,
        epoch,
    } = database::exclusive(path, false).await?;
    // The WAL and the projection are beside the file itself, not beside a link to it.
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
                    // An attached database inherits the read-only mode of the connection.
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
