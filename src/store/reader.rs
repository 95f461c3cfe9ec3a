//! What reads. Its connections are opened read-only, so what holds a [`Reader`] cannot write.

use sqlx::SqlitePool;

use super::ReadError;

/// Reads what is stored. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(super) pool: SqlitePool,
}

impl Reader {
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }

    /// Asks the database something that it always answers.
    pub async fn ping(&self) -> Result<(), ReadError> {
        sqlx::query("SELECT 1 FROM event LIMIT 1")
            .fetch_optional(&self.pool)
            .await?;
        Ok(())
    }

    /// Closes the connections, once their readers are done.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
