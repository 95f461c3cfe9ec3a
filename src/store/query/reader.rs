//! The reader. Its connections are opened read-only, so code that holds a [`Reader`] cannot write.
//!
//! A page is read in two steps. First it is selected by keys and sizes alone ([`Choice`]). Then its
//! bytes are reserved in the memory for responses, and only then are its bodies read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Row, Sqlite, SqlitePool};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::lease::Lease;
use super::memory::AnswerMemory;
use super::page::Choice;
use crate::store::error::{DEADLINE, ReadError};
use crate::store::lock::Lock;
use crate::store::projection::Projected;

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
    pub(in crate::store) epoch: String,
    pub(in crate::store) lock: Arc<Lock>,
    pub(in crate::store) memory: AnswerMemory,
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
    epoch: Arc<str>,
    /// Dropped after the connections (see lock.rs).
    lock: Arc<Mutex<Option<Arc<Lock>>>>,
    pub(super) memory: AnswerMemory,
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
            epoch: parts.epoch.into(),
            lock: Arc::new(Mutex::new(Some(parts.lock))),
            memory: parts.memory,
            searches: Arc::new(Semaphore::new(SEARCHES)),
        }
    }

    /// The epoch of the database. A seq is only valid within one epoch.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The same reader with another memory budget for responses.
    #[must_use]
    pub fn with_memory(self, memory: AnswerMemory) -> Self {
        Self { memory, ..self }
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
            let (key, size): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            let size = usize::try_from(size).unwrap_or(0);
            let is_full = choice.keys.len() == limit as usize
                || (choice.bytes + size > max_bytes && !choice.keys.is_empty());
            if is_full {
                choice.more = true;
                break;
            }
            choice.keys.push(key);
            choice.bytes += size;
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
