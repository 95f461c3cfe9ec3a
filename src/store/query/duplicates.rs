//! Marks the events of a page that have the same content as an earlier event. The projection finds
//! duplicates after the commit, so an event that is read right after its commit may not be marked
//! yet.

use std::time::Duration;

use sqlx::Row;
use tokio::time::timeout;

use super::reader::{Files, Reader};
use crate::model::Event;
use crate::store::error::ReadError;

/// Maximum time that a reader of events waits until the newest of them is projected; after it, the
/// events are returned unmarked.
const MAX_WAIT: Duration = Duration::from_millis(200);

/// Lag of the projection in events, beyond which readers do not wait for it.
const MAX_LAG: i64 = 10_000;

/// Selects the events of a JSON array of seqs that duplicate an earlier event.
pub(super) const FIND: &str = "
    SELECT seq, of_seq FROM projection.duplicate
    WHERE seq IN (SELECT value FROM json_each(?))";

impl Reader {
    /// Sets `duplicate_of` of each event as far as it is known. Reading events never depends on the
    /// projection, so duplicates that cannot be read stay unmarked.
    pub(super) async fn mark_duplicates(&self, events: &mut [Event]) {
        let Some(newest) = events.iter().map(|event| event.seq).max() else {
            return;
        };
        let mut projected = self.projected.clone();
        let lag = newest - projected.seq();
        if projected.is_rebuilding() || lag > MAX_LAG {
            return;
        }
        if lag > 0 {
            // If the projection is late, the events are returned anyway.
            let _ = timeout(MAX_WAIT, projected.reach(newest)).await;
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
            let marked = events.iter_mut().filter(|event| event.seq == seq);
            marked.for_each(|event| event.duplicate_of = Some(of_seq));
        }
        Ok(())
    }
}
