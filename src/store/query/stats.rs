//! Reads the counters.

use sqlx::{QueryBuilder, Row};

use super::plan::Conditions;
use super::reader::{Files, Reader};
use crate::model::Stats;
use crate::store::error::ReadError;
use crate::store::projection::Measure;

impl Reader {
    /// Reads the counters of one account, or of all together.
    pub async fn stats(&self, instance: Option<i64>) -> Result<Stats, ReadError> {
        let read = self.count_all(instance).await;
        self.check_derived(read)
    }

    async fn count_all(&self, instance: Option<i64>) -> Result<Stats, ReadError> {
        let mut sql =
            QueryBuilder::new("SELECT measure, value, sum(n) AS n FROM projection.counter");
        if let Some(instance) = instance {
            sql.push(" WHERE id_instance = ").push_bind(instance);
        }
        sql.push(" GROUP BY measure, value");
        let mut stats = Stats::default();
        let mut lease = self.lease(Files::Both).await?;
        for row in sql.build().fetch_all(&mut *lease).await? {
            let measure: i64 = row.try_get("measure")?;
            let value: String = row.try_get("value")?;
            let n: i64 = row.try_get("n")?;
            if measure == Measure::TypeWebhook as i64 {
                stats.events_by_type.insert(value, n);
            } else if measure == Measure::Outcome as i64 {
                stats.events += n;
                stats.events_by_outcome.insert(value, n);
            } else if measure == Measure::Messages as i64 {
                stats.messages = n;
            } else if measure == Measure::Calls as i64 {
                stats.calls = n;
            }
        }
        drop(lease);
        stats.chats = self.count("projection.chat", instance).await?;
        stats.instances = self.count("projection.instance", instance).await?;
        Ok(stats)
    }

    async fn count(&self, table: &'static str, instance: Option<i64>) -> Result<i64, ReadError> {
        let mut sql = QueryBuilder::new("SELECT count(*) FROM ");
        sql.push(table);
        if let Some(instance) = instance {
            Conditions::new()
                .add(&mut sql, "id_instance = ")
                .push_bind(instance);
        }
        let mut lease = self.lease(Files::Both).await?;
        Ok(sql.build().fetch_one(&mut *lease).await?.try_get(0)?)
    }
}
