//! How many notifications of an account arrived in each of the last hours.

use std::collections::HashMap;

use sqlx::Row;

use super::reader::{Files, Reader};
use crate::clock::UnixMillis;
use crate::store::error::ReadError;
use crate::store::projection::HOUR;

/// Hours before the current one that are counted.
const BEFORE: i64 = 23;

/// Hours that are counted in all.
const HOURS: usize = 24;

/// Selects the counts of the accounts in a JSON array.
const COUNTS: &str = "
    SELECT id_instance, hour, n FROM projection.hour
    WHERE id_instance IN (SELECT value FROM json_each(?1)) AND hour BETWEEN ?2 AND ?3";

impl Reader {
    /// The number of notifications of each of these accounts in the current hour of UTC and in the 23 hours before it,
    /// the newest last. Accounts without one are left out.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn activity(
        &self,
        accounts: &[i64],
        now: UnixMillis,
    ) -> Result<HashMap<i64, [i64; HOURS]>, ReadError> {
        let read = self.count_hours(accounts, now).await;
        self.check_derived(read)
    }

    async fn count_hours(
        &self,
        accounts: &[i64],
        UnixMillis(now): UnixMillis,
    ) -> Result<HashMap<i64, [i64; HOURS]>, ReadError> {
        let last = now.div_euclid(HOUR);
        let mut lease = self.lease(Files::Both).await?;
        let rows = sqlx::query(COUNTS)
            .bind(serde_json::to_string(accounts).unwrap_or_default())
            .bind(last.saturating_sub(BEFORE))
            .bind(last)
            .fetch_all(&mut *lease)
            .await?;
        let mut counts = HashMap::new();
        for row in rows {
            let (id, hour): (i64, i64) = (row.try_get("id_instance")?, row.try_get("hour")?);
            let before_last = usize::try_from(last - hour).unwrap_or(HOURS);
            let hours = counts.entry(id).or_insert([0; HOURS]);
            if let Some(count) = hours.iter_mut().nth_back(before_last) {
                *count = row.try_get("n")?;
            }
        }
        Ok(counts)
    }
}
