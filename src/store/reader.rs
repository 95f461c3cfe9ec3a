//! What reads. Its connections are opened read-only, so what holds a [`Reader`] cannot write.

use sqlx::SqlitePool;

use super::ReadError;

/// Reads what is stored. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(super) pool: SqlitePool,
}

/// Some of the entries of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries, in order.
    pub entries: Vec<T>,
    /// The place of the last where there are more behind it.
    pub next: Option<i64>,
}

impl<T> Page<T> {
    /// A page of what was read, which is one more than `limit` where there are more.
    pub(super) fn of(mut read: Vec<(i64, T)>, limit: u32) -> Self {
        let more = read.len() > limit as usize;
        read.truncate(limit as usize);
        let next = read.last().filter(|_| more).map(|(place, _)| *place);
        Self {
            entries: read.into_iter().map(|(_, entry)| entry).collect(),
            next,
        }
    }

    /// A page with nothing.
    pub(super) fn empty() -> Self {
        Self {
            entries: Vec::new(),
            next: None,
        }
    }
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

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn a_reader_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox.db");
        let store = crate::store::open(&path, 16, 0).await.unwrap();
        let mut connection = store.reader.pool.acquire().await.unwrap();
        let mut refused = async |sql: &'static str| {
            let done = sqlx::query(sql).execute(&mut *connection).await;
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
