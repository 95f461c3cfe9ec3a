//! The reader. Its connections are opened read-only, so code that holds a [`Reader`] cannot write.
//!
//! A page is read in two steps. First it is selected by keys and sizes alone ([`Choice`]). Then its
//! bytes are reserved in the memory for responses, and only then are its bodies read.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqlitePool};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::intact::DamageReports;
use super::lease::Lease;
use super::memory::AnswerMemory;
use super::page::{Choice, Order};
use crate::clock::Clock;
use crate::store::dictionary::Dictionaries;
use crate::store::epoch::Epoch;
use crate::store::error::{DEADLINE, ReadError};
use crate::store::lock::Lock;
use crate::store::projection::Projected;
use crate::store::usage::DiskUsage;
use crate::trouble::Troubles;

/// Maximum number of concurrent searches; further ones wait. Searches may take long, and this
/// leaves the other connections to lists.
const SEARCHES: usize = 2;

/// Maximum time that [`Reader::ping`] waits; after it, the ping fails.
const PING_TIMEOUT: Duration = Duration::from_millis(500);

/// Which files a request reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Files {
    /// The events alone.
    Events,
    /// The events and the projection.
    Both,
}

/// The parts of a [`Reader`].
pub(in crate::store) struct Parts {
    pub(in crate::store) events: SqlitePool,
    pub(in crate::store) health: SqlitePool,
    pub(in crate::store) lists: Lists,
    pub(in crate::store) projected: Projected,
    pub(in crate::store) epoch: Epoch,
    pub(in crate::store) lock: Arc<Lock>,
    pub(in crate::store) memory: AnswerMemory,
    /// The dictionaries of compressed bodies.
    pub(in crate::store) dictionaries: Dictionaries,
}

/// Connections to the events and to one generation of the projection.
pub(in crate::store) struct Lists {
    pool: SqlitePool,
    generation: u64,
    connect: Box<dyn Fn() -> SqlitePool + Send>,
}

impl Lists {
    /// Connections that `connect` opens on demand.
    pub(in crate::store) fn new(connect: impl Fn() -> SqlitePool + Send + 'static) -> Self {
        Self {
            pool: connect(),
            generation: 0,
            connect: Box::new(connect),
        }
    }
}

impl std::fmt::Debug for Lists {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lists")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// Reads the stored events and the projection. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Connections to the events alone, which work whatever happens to the projection.
    events: SqlitePool,
    /// Connections to both files, for the current generation of the projection.
    lists: Arc<Mutex<Lists>>,
    /// A connection for [`Reader::ping`] alone, so that the health check does not wait for readers.
    health: SqlitePool,
    pub(super) projected: Projected,
    epoch: Epoch,
    /// The database file.
    path: Arc<Path>,
    /// Dropped after the connections (see lock.rs).
    lock: Arc<Mutex<Option<Arc<Lock>>>>,
    pub(super) memory: AnswerMemory,
    /// Where damaged bodies are reported.
    pub(super) damage: DamageReports,
    /// Permits for searches.
    searches: Arc<Semaphore>,
}

impl Reader {
    pub(in crate::store) fn new(parts: Parts) -> Self {
        Self {
            events: parts.events,
            lists: Arc::new(Mutex::new(parts.lists)),
            health: parts.health,
            projected: parts.projected,
            epoch: parts.epoch,
            path: parts.lock.path().into(),
            lock: Arc::new(Mutex::new(Some(parts.lock))),
            memory: parts.memory,
            damage: DamageReports::new(parts.dictionaries),
            searches: Arc::new(Semaphore::new(SEARCHES)),
        }
    }

    /// The epoch of the database. A seq is only valid within one epoch.
    #[must_use]
    pub fn epoch(&self) -> Arc<str> {
        self.epoch.name()
    }

    /// The space that the database takes and has. Blocks for as long as the file system takes to answer.
    #[must_use]
    pub fn disk_usage(&self) -> DiskUsage {
        DiskUsage::of(&self.path)
    }

    /// The same reader with another memory budget for responses.
    #[must_use]
    pub fn with_memory(self, memory: AnswerMemory) -> Self {
        Self { memory, ..self }
    }

    /// The same reader, which reports the damaged bodies that it meets.
    #[must_use]
    pub fn with_troubles(mut self, troubles: &Troubles, clock: &Clock) -> Self {
        self.damage.observed_by(troubles, clock);
        self
    }

    /// Leases a connection for the statements of one request.
    pub(super) async fn lease(&self, files: Files) -> Result<Lease, ReadError> {
        match files {
            Files::Events => Lease::take(&self.events).await,
            Files::Both => Lease::take(&self.lists()).await,
        }
    }

    /// The connections to the current projection. Connections to an earlier generation are closed
    /// when they are returned.
    fn lists(&self) -> SqlitePool {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = self.projected.generation();
        if lists.generation != generation {
            lists.pool = (lists.connect)();
            lists.generation = generation;
        }
        lists.pool.clone()
    }

    /// Passes on the result of reading a list. On damage, it makes the projection thread check the
    /// files, and reports that the projection is rebuilding unless the events are known to be
    /// damaged.
    pub(in crate::store) fn check_derived<T>(
        &self,
        read: Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        if let Err(ReadError::Damaged(_)) = &read {
            self.projected.suspect();
            if !self.projected.are_events_damaged() {
                return Err(ReadError::Rebuilding);
            }
        }
        read
    }

    /// Passes on the result of reading the events alone, and reports damage.
    pub(in crate::store) fn check_events<T>(
        &self,
        read: Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        if let Err(ReadError::Damaged(failure)) = &read {
            self.report_damage(failure);
        }
        read
    }

    /// Reports that a page of the events is unreadable.
    pub(in crate::store) fn report_damage(&self, failure: &sqlx::Error) {
        self.projected.events_are_damaged(failure);
    }

    /// Waits for a search permit.
    pub(super) async fn search_permit(&self) -> Result<SemaphorePermit<'_>, ReadError> {
        match timeout(DEADLINE, self.searches.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            // The semaphore is never closed.
            Ok(Err(_)) | Err(_) => Err(ReadError::Busy),
        }
    }

    /// Selects the entries of a page. `sql` must return a key and the size of the bodies for each
    /// entry, and at least one entry more than `limit` if there are that many. The page ends before
    /// its bodies exceed `max_bytes`, but has at least one entry, whatever its size.
    pub(super) async fn choose(
        &self,
        files: Files,
        sql: &mut QueryBuilder<Sqlite>,
        limit: u32,
        max_bytes: usize,
    ) -> Result<Choice, ReadError> {
        let mut lease = self.lease(files).await?;
        let mut choice = Choice::empty();
        let mut rows = sql.build().fetch(&mut *lease);
        while let Some(row) = rows.try_next().await? {
            if !choice.take(entry(&row)?, limit, max_bytes) {
                break;
            }
        }
        Ok(choice)
    }

    /// Selects the entries of a page from several lists, each in the requested order, as [`Self::choose`] does from
    /// one. An entry that is in more than one of them is selected once.
    pub(super) async fn choose_among(
        &self,
        lists: &mut [QueryBuilder<Sqlite>],
        order: Order,
        limit: u32,
        max_bytes: usize,
    ) -> Result<Choice, ReadError> {
        if let [list] = lists {
            return self.choose(Files::Both, list, limit, max_bytes).await;
        }
        let mut entries = Vec::new();
        for list in lists {
            let mut lease = self.lease(Files::Both).await?;
            for row in list.build().fetch_all(&mut *lease).await? {
                entries.push(entry(&row)?);
            }
        }
        entries.sort_unstable();
        entries.dedup_by_key(|(key, _)| *key);
        if order == Order::Descending {
            entries.reverse();
        }
        let mut choice = Choice::empty();
        for entry in entries {
            if !choice.take(entry, limit, max_bytes) {
                break;
            }
        }
        Ok(choice)
    }

    /// Runs a trivial query on a separate connection.
    ///
    /// # Errors
    ///
    /// The database is not readable, or did not respond in time.
    pub async fn ping(&self) -> Result<(), ReadError> {
        let query = sqlx::query("SELECT 1 FROM event LIMIT 1").fetch_optional(&self.health);
        let answered = timeout(PING_TIMEOUT, query).await;
        answered.map_err(|_| ReadError::Busy)?.map(drop)?;
        Ok(())
    }

    /// Closes the connections once their readers have finished.
    pub async fn close(&self) {
        self.health.close().await;
        self.events.close().await;
        self.lists().close().await;
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        drop(lock.take());
    }
}

/// The key of an entry and the size of its bodies.
fn entry(row: &SqliteRow) -> Result<(i64, usize), sqlx::Error> {
    let size: i64 = row.try_get(1)?;
    Ok((row.try_get(0)?, usize::try_from(size).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn reader_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox.db");
        let store = crate::store::open(&path, 16, 0).await.unwrap();
        let mut lease = store.reader.lease(super::Files::Both).await.unwrap();
        let mut refused = async |sql: &'static str| {
            let done = sqlx::query(sql).execute(&mut *lease).await;
            done.is_err_and(|failure| failure.to_string().contains("readonly"))
        };
        assert!(refused("DELETE FROM event").await);
        assert!(refused("CREATE TABLE more (a)").await);
        // The file itself is opened read-only.
        assert!(!refused("PRAGMA query_only = OFF").await);
        assert!(refused("DELETE FROM event").await);
        assert!(refused("PRAGMA user_version = 7").await);
    }
}
