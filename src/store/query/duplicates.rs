//! Which events say the same as an earlier one. That is found behind the commits, so an event that is
//! read at once may not have it yet.

use std::time::Duration;

use sqlx::Row;
use tokio::time::timeout;

use super::reader::{Files, Reader};
use crate::model::Event;
use crate::store::error::ReadError;

/// How long the reader of events waits for what is derived from the newest of them.
const SOON: Duration = Duration::from_millis(200);

/// Events that are not derived yet beyond which nobody waits for them.
const FAR: i64 = 10_000;

/// The events among those of the JSON array that say the same as an earlier one.
pub(super) const FIND: &str = "
    SELECT seq, of_seq FROM projection.duplicate
    WHERE seq IN (SELECT value FROM json_each(?))";

impl Reader {
    /// Says of each event which earlier one it says the same as, as far as that is known. Events never
    /// depend on what is derived from them, so what cannot be read is left out.
    pub(super) async fn name_duplicates(&self, events: &mut [Event]) {
        let Some(newest) = events.iter().map(|event| event.seq).max() else {
            return;
        };
        let mut projected = self.projected.clone();
        let behind = newest - projected.seq();
        if projected.is_rebuilding() || behind > FAR {
            return;
        }
        if behind > 0 {
            // Late is no reason to keep the events back.
            let _ = timeout(SOON, projected.reach(newest)).await;
        }
        if let Err(ReadError::Damaged(_)) = self.find_duplicates(events).await {
            self.projected.suspect();
        }
    }

    async fn find_duplicates(&self, events: &mut [Event]) -> Result<(), ReadError> {
        let seqs: Vec<_> = events.iter().map(|event| event.seq.to_string()).collect();
        let rows = sqlx::query(FIND)
            .bind(format!("[{}]", seqs.join(",")))
            .fetch_all(&mut *self.lease(Files::Both).await?)
            .await?;
        for row in rows {
            let (seq, of_seq): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            let named = events.iter_mut().filter(|event| event.seq == seq);
            named.for_each(|event| event.duplicate_of = Some(of_seq));
        }
        Ok(())
    }
}
