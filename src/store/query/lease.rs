//! A connection leased to one request, with a deadline. SQLite interrupts the running statement
//! when the deadline passes, or when the request is dropped because its client has disconnected.

use std::cell::LazyCell;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, SqlitePool};

use crate::store::error::{DEADLINE, ReadError};
use crate::store::priority::give_way;

/// Instructions of SQLite's virtual machine between two checks of the deadline. A search reads a
/// page of words every few instructions, so the interval is well under a millisecond.
const INSTRUCTIONS: i32 = 256;

thread_local! {
    static LOW_PRIORITY: LazyCell<()> = LazyCell::new(give_way);
}

/// A leased connection. Dropping the lease returns it to the pool.
#[derive(Debug)]
pub(super) struct Lease {
    connection: PoolConnection<Sqlite>,
    is_ended: Arc<AtomicBool>,
}

impl Lease {
    /// Takes a connection from the pool and starts its [`DEADLINE`].
    pub(super) async fn take(pool: &SqlitePool) -> Result<Self, ReadError> {
        Self::take_for(pool, DEADLINE).await
    }

    async fn take_for(pool: &SqlitePool, time: Duration) -> Result<Self, ReadError> {
        let mut connection = pool.acquire().await?;
        let is_ended = Arc::new(AtomicBool::new(false));
        let deadline = Instant::now() + time;
        connection
            .lock_handle()
            .await?
            .set_progress_handler(INSTRUCTIONS, {
                let is_ended = Arc::clone(&is_ended);
                move || {
                    // SQLite calls this on the thread that sqlx starts for the connection.
                    LOW_PRIORITY.with(|once| **once);
                    !is_ended.load(Ordering::Relaxed) && Instant::now() < deadline
                }
            });
        Ok(Self {
            connection,
            is_ended,
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // The thread of the connection may still be running a statement for a dropped request.
        self.is_ended.store(true, Ordering::Relaxed);
    }
}

impl Deref for Lease {
    type Target = SqliteConnection;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqlitePoolOptions;
    use tokio::time::timeout;

    use super::*;

    /// A query that never ends by itself.
    const ENDLESS: &str = "
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        SELECT count(*) FROM n";

    /// A pool with a single connection, so that a leaked connection makes the test fail.
    async fn pool() -> SqlitePool {
        let options = SqlitePoolOptions::new().max_connections(1);
        options.connect("sqlite::memory:").await.unwrap()
    }

    async fn is_usable(pool: &SqlitePool) -> bool {
        let mut lease = Lease::take(pool).await.unwrap();
        let one = sqlx::query("SELECT 1").fetch_one(&mut *lease);
        timeout(Duration::from_secs(10), one).await.unwrap().is_ok()
    }

    #[tokio::test]
    async fn query_that_takes_too_long_is_interrupted() {
        let pool = pool().await;
        let mut lease = Lease::take_for(&pool, Duration::from_millis(50))
            .await
            .unwrap();
        let failure = sqlx::query(ENDLESS)
            .fetch_one(&mut *lease)
            .await
            .unwrap_err();
        assert!(matches!(failure.into(), ReadError::TooLong));
        drop(lease);
        assert!(is_usable(&pool).await);
    }

    #[tokio::test]
    async fn query_whose_request_is_dropped_is_interrupted() {
        let pool = pool().await;
        let started = Instant::now();
        let query = async {
            let mut lease = Lease::take_for(&pool, Duration::from_hours(1))
                .await
                .unwrap();
            sqlx::query(ENDLESS).fetch_one(&mut *lease).await.is_ok()
        };
        assert!(timeout(Duration::from_millis(50), query).await.is_err());
        assert!(is_usable(&pool).await);
        assert!(started.elapsed() < Duration::from_mins(1));
    }
}
