//! Opens a store: the database, its writer, its projection and its readers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tracing::warn;

use super::commits::Commits;
use super::dictionary::Dictionaries;
use super::epoch::Epoch;
use super::error::OpenError;
use super::lock::Lock;
use super::maintenance::database::{self, Exclusive};
use super::maintenance::identity;
use super::oldest::DeletedThrough;
use super::past;
use super::projection::{self, Projected, ProjectionThread};
use super::query::memory::AnswerMemory;
use super::query::reader::{Lists, Parts, Reader};
use super::reprocessing::Reprocessing;
use super::space::Space;
use super::wal::WalBytes;
use super::write::checkpoint::Checkpoints;
use super::write::queue::Writer;
use super::write::watch::Watch;
use super::write::writer::{self, WriterThread};
use crate::metrics::Metrics;

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
    /// How far the oldest events are deleted.
    pub deleted: DeletedThrough,
    /// The projection's thread, to wait for after the writer's.
    pub projection: ProjectionThread,
    /// The metrics of the writer and of everything that records into them.
    pub metrics: Metrics,
    wal_bytes: WalBytes,
    path: PathBuf,
}

impl Store {
    /// Measures the files and deletes the oldest events. It holds a handle to the writer.
    ///
    /// # Errors
    ///
    /// The database cannot be opened once more.
    pub fn space(&self) -> Result<Space, OpenError> {
        Space::open(
            &self.path,
            self.writer.clone(),
            self.projected.clone(),
            self.deleted.clone(),
            self.commits.clone(),
            self.wal_bytes.clone(),
        )
    }

    /// Parses all events again when it is asked to. It holds a handle to the writer.
    ///
    /// # Errors
    ///
    /// The database cannot be opened once more.
    pub fn reprocessing(&self) -> Result<Reprocessing, OpenError> {
        Reprocessing::open(&self.path, self.writer.clone())
    }
}

/// Opens the database at `path`, creating or migrating it if needed, and starts its threads. At most
/// `max_waiting` notifications wait to be committed. `max_bytes` is the budget of all files, which their WALs are
/// kept small for; 0 means no budget. Retention keeps the files within it.
///
/// # Errors
///
/// Anything that would make a later answer untrue: a folder that is not writable, an SQLite with a known
/// bug, a setting that SQLite does not apply, a schema newer than this program.
pub async fn open(path: &Path, max_waiting: usize, max_bytes: u64) -> Result<Store, OpenError> {
    let mut exclusive = database::exclusive(path, false).await?;
    if let Some(epoch) = identity::leave_cluster(&exclusive.connection, exclusive.lock.path())? {
        warn!(
            "`{}` was a node's copy of PostgreSQL and has events of its own from now on: it starts a new epoch, and \
             readers that send the old one get 409 `feed-rewound`",
            path.display()
        );
        exclusive.epoch = epoch;
    }
    assemble(exclusive, max_waiting, max_bytes).await
}

/// Starts the threads of an open database.
pub(super) async fn assemble(
    exclusive: Exclusive,
    max_waiting: usize,
    max_bytes: u64,
) -> Result<Store, OpenError> {
    let Exclusive {
        connection,
        lock,
        epoch,
    } = exclusive;
    let epoch = Epoch::new(&epoch);
    // The WAL and the projection are beside the file itself, not beside a link to it.
    let path = lock.path().to_owned();
    let wal_bytes = WalBytes::of_budget(max_bytes);
    wal_bytes.limit(&connection)?;
    let dictionaries = Dictionaries::read(&connection);
    let deleted = past::deleted_through(&connection)?;
    // If every event is deleted, the last seq is still used up.
    let newest = "SELECT max(coalesce(max(seq), 0), ?1) FROM event";
    let newest = connection.query_row(newest, [deleted], |row| row.get(0))?;
    let deleted = DeletedThrough::new(deleted);
    let (notifier, receiver) = projection::notify::channel();
    let metrics = Metrics::new(rusqlite::version());
    let checkpoints = Checkpoints::start(&path, wal_bytes.clone())?;
    let watch = Watch::new(&path)?;
    let (writer, commits, thread) = writer::start(writer::Parts {
        connection,
        newest,
        max_waiting,
        checkpoints,
        watch,
        projection: notifier.clone(),
        deleted: deleted.clone(),
        epoch: epoch.clone(),
        metrics: metrics.clone(),
    })?;
    let lock = Arc::new(lock);
    let (projected, projection) = projection::start(
        Arc::clone(&lock),
        epoch.clone(),
        commits.clone(),
        notifier,
        receiver,
        wal_bytes.clone(),
    )?;
    let reader = reader(lock, epoch, projected.clone(), dictionaries).await?;
    Ok(Store {
        writer,
        reader,
        commits,
        thread,
        projected,
        deleted,
        projection,
        metrics,
        wal_bytes,
        path,
    })
}

async fn reader(
    lock: Arc<Lock>,
    epoch: Epoch,
    projected: Projected,
    dictionaries: Dictionaries,
) -> Result<Reader, OpenError> {
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
        dictionaries,
    }))
}
