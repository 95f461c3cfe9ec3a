//! Retention of several nodes: one deletes from PostgreSQL what is too old, and each deletes that from its copy.

use tokio::time::{Instant, sleep};

use super::{INTERVAL, Retention, Stuck};
use crate::store::{OldEvent, Usage};

/// Events that one statement deletes from PostgreSQL.
const EVENTS: u32 = 4096;

/// Bytes of their bodies, as the copy stores them. A statement deletes at least one event.
const BYTES: u64 = 8 * 1024 * 1024;

impl Retention {
    /// Deletes one batch, from the copy or from PostgreSQL. Returns whether it has.
    pub(super) async fn turn_shared(&mut self, usage: &Usage) -> Result<bool, Stuck> {
        if let Some(through) = self.space.deleted_for_all() {
            let start = Instant::now();
            let through = self.forget(through).await?;
            self.rest(start.elapsed(), usage).await;
            self.delete(through).await?;
            return Ok(true);
        }
        if !self.marks.delete() || !self.duty.is_held() {
            return Ok(false);
        }
        let now = self.clock.now().0;
        let first = self.space.oldest(1).await.map_err(Stuck::Read)?;
        if self.marks.last_to_delete(&first, usage, now).is_none() {
            return Ok(false);
        }
        let oldest = self.space.oldest(EVENTS).await.map_err(Stuck::Read)?;
        let Some(through) = self.marks.last_to_delete(small(&oldest), usage, now) else {
            return Ok(false);
        };
        let term = self.duty.term().await;
        let start = Instant::now();
        let deleted = term.guard(self.space.delete_for_all(through, &term)).await;
        // Without the lease, another node deletes.
        deleted.unwrap_or(Ok(())).map_err(Stuck::Shared)?;
        // The copies follow meanwhile, and autovacuum.
        sleep(INTERVAL.max(start.elapsed())).await;
        Ok(true)
    }
}

/// The first of these events, as many as one statement may delete.
fn small(oldest: &[OldEvent]) -> &[OldEvent] {
    let mut bytes = 0;
    let fits = oldest.iter().take_while(|event| {
        bytes += event.bytes;
        bytes <= BYTES
    });
    let count = fits.count().max(1).min(oldest.len());
    &oldest[..count]
}
