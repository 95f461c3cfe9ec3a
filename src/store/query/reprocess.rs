//! Reads how far the server is with parsing all events again.

use sqlx::Row;

use super::reader::{Files, Reader};
use crate::model::{OutcomeChange, ReprocessPass};
use crate::store::error::ReadError;

/// A pass counts as running until its end is announced as well: the new epoch.
const PASS: &str = "
    SELECT seq, last, events, damaged, changed, NOT is_done OR identity.epoch <> ? AS is_running
    FROM reprocess CROSS JOIN identity";

impl Reader {
    /// Reads the last pass that was asked for.
    pub async fn reprocess_pass(&self) -> Result<ReprocessPass, ReadError> {
        let epoch = self.epoch();
        let row = sqlx::query(PASS)
            .bind(&*epoch)
            .fetch_optional(&mut *self.lease(Files::Events).await?)
            .await;
        let Some(row) = self.check_events(row.map_err(ReadError::from))? else {
            return Ok(ReprocessPass::default());
        };
        let changed: Vec<(String, String, u64)> = serde_json::from_str(row.try_get("changed")?)
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok(ReprocessPass {
            is_running: row.try_get("is_running")?,
            seq: row.try_get("seq")?,
            last_seq: row.try_get("last")?,
            events: row.try_get("events")?,
            damaged: row.try_get("damaged")?,
            changed: changed
                .into_iter()
                .map(|(before, after, events)| OutcomeChange {
                    before,
                    after,
                    events,
                })
                .collect(),
        })
    }
}
