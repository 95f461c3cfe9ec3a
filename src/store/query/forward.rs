//! Reads what is saved about a forward destination.

use std::collections::HashMap;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::page::{Page, Position};
use super::reader::{Files, Reader};
use crate::clock::UnixMillis;
use crate::model::DeadLetter;
use crate::store::error::ReadError;

/// The events that are due, at most one for each lane.
const DUE: &str = "
    SELECT seq, lane, since, attempts FROM forward_event
    WHERE destination = ?1 AND due_at IS NOT NULL AND (due_at <= ?2 OR due_at > ?3)
    ORDER BY due_at LIMIT ?4";

/// The events of a lane behind one.
const BEHIND: &str = "
    SELECT seq, lane, since, attempts FROM forward_event
    WHERE destination = ?1 AND lane = ?2 AND dead_at IS NULL AND seq > ?3 ORDER BY seq LIMIT ?4";

const LANES: &str = "
    SELECT lane, count(*) FROM forward_event WHERE destination = ?1 AND dead_at IS NULL
    GROUP BY lane LIMIT ?2";

/// Events behind the position that were tried before the program ended: those before them in their lanes are
/// delivered.
const TRIED: &str = "
    SELECT lane, max(seq) FROM forward_event WHERE destination = ?1 AND seq > ?2
    GROUP BY lane";

const DEAD_COUNT: &str = "
    SELECT count(*) AS count, max(dead_at) AS newest FROM forward_event
    WHERE destination = ?1 AND dead_at IS NOT NULL";

const EXPIRED: &str = "SELECT events, at FROM forward_expired WHERE destination = ?1";

const OLDEST: &str = "
    SELECT min(since) FROM (SELECT since FROM forward_event
    WHERE destination = ?1 AND due_at IS NOT NULL ORDER BY due_at LIMIT 1000)";

const DEAD: &str = "
    SELECT forward_event.seq, attempts, dead_at, problem, event.id_instance, event.type_webhook
    FROM forward_event LEFT JOIN event ON event.seq = forward_event.seq
    WHERE destination = ?1 AND dead_at IS NOT NULL AND forward_event.seq > ?2
    ORDER BY forward_event.seq LIMIT ?3";

/// An event that waits for an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingEvent {
    /// The event.
    pub seq: i64,
    /// Its lane.
    pub lane: i64,
    /// When it began to wait.
    pub since: UnixMillis,
    /// Failed attempts so far.
    pub attempts: u32,
}

/// What is saved about a destination, without the events themselves.
#[derive(Debug, Default)]
pub struct SavedForward {
    /// How many events wait in each lane that has any.
    pub lanes: HashMap<i64, u32>,
    /// The last event of each lane that is behind the position and was tried.
    pub tried: HashMap<i64, i64>,
    /// Dead letters, and when the newest one became one.
    pub dead: (i64, Option<UnixMillis>),
    /// Events that were deleted before they were delivered, and when that was last noticed.
    pub expired: (i64, Option<UnixMillis>),
}

impl Reader {
    /// Reads the state of a destination that has read up to the seq `after`; at most `max_lanes` lanes.
    pub(in crate::store) async fn saved_forward(
        &self,
        destination: &str,
        after: i64,
        max_lanes: u32,
    ) -> Result<SavedForward, ReadError> {
        let mut lease = self.lease(Files::Events).await?;
        let mut saved = SavedForward::default();
        let rows = sqlx::query(LANES)
            .bind(destination)
            .bind(max_lanes)
            .fetch_all(&mut *lease)
            .await?;
        for row in rows {
            saved.lanes.insert(row.try_get(0)?, row.try_get(1)?);
        }
        let rows = sqlx::query(TRIED)
            .bind(destination)
            .bind(after)
            .fetch_all(&mut *lease)
            .await?;
        for row in rows {
            saved.tried.insert(row.try_get(0)?, row.try_get(1)?);
        }
        let row = sqlx::query(DEAD_COUNT)
            .bind(destination)
            .fetch_one(&mut *lease)
            .await?;
        let newest: Option<i64> = row.try_get("newest")?;
        saved.dead = (row.try_get("count")?, newest.map(UnixMillis));
        let row = sqlx::query(EXPIRED)
            .bind(destination)
            .fetch_optional(&mut *lease)
            .await?;
        if let Some(row) = row {
            saved.expired = (row.try_get("events")?, Some(UnixMillis(row.try_get("at")?)));
        }
        Ok(saved)
    }

    /// Reads at most `limit` events that are due at `now`, each the first of its lane. One that is due after
    /// `latest` counts too: the clock was set back.
    pub(in crate::store) async fn due_forward(
        &self,
        destination: &str,
        now: UnixMillis,
        latest: UnixMillis,
        limit: u32,
    ) -> Result<Vec<WaitingEvent>, ReadError> {
        let rows = sqlx::query(DUE)
            .bind(destination)
            .bind(now.0)
            .bind(latest.0)
            .bind(limit)
            .fetch_all(&mut *self.lease(Files::Events).await?)
            .await?;
        Ok(rows.iter().map(waiting).collect::<Result<_, _>>()?)
    }

    /// Reads at most `limit` events of a lane after the seq `after`.
    pub(in crate::store) async fn forward_lane(
        &self,
        destination: &str,
        lane: i64,
        after: i64,
        limit: u32,
    ) -> Result<Vec<WaitingEvent>, ReadError> {
        let rows = sqlx::query(BEHIND)
            .bind(destination)
            .bind(lane)
            .bind(after)
            .bind(limit)
            .fetch_all(&mut *self.lease(Files::Events).await?)
            .await?;
        Ok(rows.iter().map(waiting).collect::<Result<_, _>>()?)
    }

    /// When the event that has waited longest began to wait, of the first of each lane.
    pub(in crate::store) async fn oldest_forward(
        &self,
        destination: &str,
    ) -> Result<Option<UnixMillis>, ReadError> {
        let row = sqlx::query(OLDEST)
            .bind(destination)
            .fetch_one(&mut *self.lease(Files::Events).await?)
            .await?;
        let oldest: Option<i64> = row.try_get(0)?;
        Ok(oldest.map(UnixMillis))
    }

    /// Reads a page of the dead letters of a destination, in the order of their seqs.
    pub async fn dead_letters(
        &self,
        destination: &str,
        position: Position,
        limit: u32,
    ) -> Result<Page<DeadLetter>, ReadError> {
        let after = match position {
            Position::Start => 0,
            Position::After(seq) => seq,
        };
        let rows = sqlx::query(DEAD)
            .bind(destination)
            .bind(after)
            // One extra row shows whether there is a next page.
            .bind(i64::from(limit) + 1)
            .fetch_all(&mut *self.lease(Files::Events).await?)
            .await?;
        let entries = rows.iter().take(limit as usize).map(dead);
        let entries: Vec<_> = entries.collect::<Result<_, sqlx::Error>>()?;
        let has_more = rows.len() > entries.len();
        let next = entries.last().map(|last: &DeadLetter| last.seq);
        Ok(Page {
            next: next.filter(|_| has_more),
            entries,
            ..Page::empty()
        })
    }
}

fn waiting(row: &SqliteRow) -> Result<WaitingEvent, sqlx::Error> {
    Ok(WaitingEvent {
        seq: row.try_get("seq")?,
        lane: row.try_get("lane")?,
        since: UnixMillis(row.try_get("since")?),
        attempts: row.try_get("attempts")?,
    })
}

fn dead(row: &SqliteRow) -> Result<DeadLetter, sqlx::Error> {
    Ok(DeadLetter {
        seq: row.try_get("seq")?,
        attempts: row.try_get("attempts")?,
        dead_at: UnixMillis(row.try_get("dead_at")?),
        problem: row.try_get("problem")?,
        id_instance: row.try_get("id_instance")?,
        type_webhook: row.try_get("type_webhook")?,
    })
}
