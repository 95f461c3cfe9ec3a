//! What reads. Its connections are opened read-only, so what holds a [`Reader`] cannot write.
//!
//! A page is read in two steps: it is chosen by keys and sizes alone ([`Choice`]), its bytes are
//! reserved in the memory for answers, and only then are its bodies read.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Row, Sqlite, SqlitePool};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::lease::{DEADLINE, Lease};
use super::page::Choice;
use super::{AnswerMemory, ReadError};

/// Searches at one time. They may take long, and lists have the other connections meanwhile.
const SEARCHES: usize = 2;

/// How long [`Reader::ping`] waits.
const PING: Duration = Duration::from_millis(500);

/// Reads what is stored. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reader {
    pool: SqlitePool,
    /// One connection that only [`Reader::ping`] uses, so that health does not wait for readers.
    health: SqlitePool,
    pub(super) memory: AnswerMemory,
    /// Turns to search.
    searches: Arc<Semaphore>,
}

impl Reader {
    pub(super) fn new(pool: SqlitePool, health: SqlitePool, memory: AnswerMemory) -> Self {
        Self {
            pool,
            health,
            memory,
            searches: Arc::new(Semaphore::new(SEARCHES)),
        }
    }

    /// The same, with other memory for answers.
    #[must_use]
    pub fn with_memory(self, memory: AnswerMemory) -> Self {
        Self { memory, ..self }
    }

    /// A connection for the statements of one request.
    pub(super) async fn lease(&self) -> Result<Lease, ReadError> {
        Lease::take(&self.pool).await
    }

    /// Waits for a turn to search.
    pub(super) async fn search_turn(&self) -> Result<SemaphorePermit<'_>, ReadError> {
        match timeout(DEADLINE, self.searches.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            // The semaphore is never closed.
            Ok(Err(_)) | Err(_) => Err(ReadError::Busy),
        }
    }

    /// Chooses a page: `sql` gives a key and the size of its bodies for each entry, one entry more
    /// than `limit` at least. The page ends before its bodies are over `max_bytes`, and has one
    /// entry whatever that has.
    pub(super) async fn choose(
        &self,
        sql: &mut QueryBuilder<Sqlite>,
        limit: u32,
        max_bytes: usize,
    ) -> Result<Choice, ReadError> {
        let mut lease = self.lease().await?;
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

    /// Asks the database something that it always answers, on a connection of its own.
    ///
    /// # Errors
    ///
    /// It cannot be read, or not at once.
    pub async fn ping(&self) -> Result<(), ReadError> {
        let asked = sqlx::query("SELECT 1 FROM event LIMIT 1").fetch_optional(&self.health);
        let answered = timeout(PING, asked).await;
        answered.map_err(|_| ReadError::Busy)?.map(drop)?;
        Ok(())
    }

    /// Closes the connections, once their readers are done.
    pub async fn close(&self) {
        self.health.close().await;
        self.pool.close().await;
    }
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn a_reader_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox.db");
        let store = crate::store::open(&path, 16, 0).await.unwrap();
        let mut lease = store.reader.lease().await.unwrap();
        let mut refused = async |sql: &'static str| {
            let done = sqlx::query(sql).execute(&mut *lease).await;
            done.is_err_and(|failure| failure.to_string().contains("readonly"))
        };
        assert!(refused("DELETE FROM event").await);
        assert!(refused("CREATE TABLE more (a)").await);
        // The file itself is opened to be read.
        assert!(!refused("PRAGMA query_only = OFF").await);
        assert!(refused("DELETE FROM event").await);
        assert!(refused("PRAGMA user_version = 7").await);
    }
}
