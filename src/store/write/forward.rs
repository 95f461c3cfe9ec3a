//! Saves what has become of the events of a forward destination, in one transaction.

use rusqlite::{Connection, OptionalExtension, Result, Transaction, params};

use super::offset::Offset;
use crate::clock::UnixMillis;

const QUEUE: &str = "
    INSERT INTO forward_event (destination, seq, lane, since, attempts, problem)
    VALUES (?1, ?2, ?3, ?4, 0, '')
    ON CONFLICT (destination, seq) DO UPDATE SET
        since = excluded.since, attempts = 0, due_at = NULL, dead_at = NULL, problem = ''
    WHERE forward_event.dead_at IS NOT NULL";

const FAIL: &str = "
    INSERT INTO forward_event (destination, seq, lane, since, attempts, due_at, dead_at, problem)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (destination, seq) DO UPDATE SET
        attempts = excluded.attempts, due_at = excluded.due_at, dead_at = excluded.dead_at,
        problem = excluded.problem";

const DELIVER: &str = "DELETE FROM forward_event WHERE destination = ?1 AND seq = ?2";

const HAS_DUE: &str = "
    SELECT 1 FROM forward_event
    WHERE destination = ?1 AND lane = ?2 AND dead_at IS NULL AND due_at IS NOT NULL LIMIT 1";

const PROMOTE: &str = "
    UPDATE forward_event SET due_at = ?3
    WHERE destination = ?1 AND seq = (
        SELECT min(seq) FROM forward_event WHERE destination = ?1 AND lane = ?2 AND dead_at IS NULL)";

/// Rows that the feed returns again: it goes on after the saved position, and no attempt was made.
const REREAD: &str = "
    DELETE FROM forward_event
    WHERE destination = ?1 AND seq > ?2 AND attempts = 0 AND dead_at IS NULL";

const LANES_WITHOUT_DUE: &str = "
    SELECT lane FROM forward_event WHERE destination = ?1 AND dead_at IS NULL
    GROUP BY lane HAVING count(due_at) = 0";

/// Counts events that are deleted although they were not delivered.
const MISS: &str = "
    INSERT INTO forward_expired (destination, events, at) VALUES (?1, ?2, ?3)
    ON CONFLICT (destination) DO UPDATE SET events = events + excluded.events, at = excluded.at";

const FORGET_DEAD: &str = "
    DELETE FROM forward_event WHERE destination = ?1 AND seq <= ?2 AND dead_at IS NOT NULL";

/// What has become of one event or lane of a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardStep {
    /// The event waits, behind others of its lane or for its turn. A dead letter waits again.
    Queued {
        /// The event.
        seq: i64,
        /// Its lane.
        lane: i64,
        /// When it began to wait.
        since: UnixMillis,
    },
    /// An attempt failed.
    Failed {
        /// The event.
        seq: i64,
        /// Its lane.
        lane: i64,
        /// When it began to wait.
        since: UnixMillis,
        /// Failed attempts so far.
        attempts: u32,
        /// When the next attempt is due; `None` if the event is a dead letter.
        due_at: Option<UnixMillis>,
        /// When the attempt failed.
        at: UnixMillis,
        /// Why the attempt failed.
        problem: String,
    },
    /// An event that had waited is delivered, or is gone.
    Delivered {
        /// The event.
        seq: i64,
    },
    /// Events were deleted by retention before they were delivered.
    Expired {
        /// How many.
        events: i64,
        /// When that was noticed.
        at: UnixMillis,
    },
    /// The first event of the lane is due, if there is one and none is due yet.
    Promoted {
        /// The lane.
        lane: i64,
        /// From when on it is due.
        at: UnixMillis,
    },
}

/// A change of what is saved about one destination.
#[derive(Debug)]
pub enum ForwardChange {
    /// The program has started and reads on after the seq `after`.
    Resumed {
        /// The name of the destination.
        destination: String,
        /// The saved position.
        after: i64,
        /// Now.
        at: UnixMillis,
    },
    /// Events were read, delivered or tried.
    Progress {
        /// The name of the destination.
        destination: String,
        /// What has become of them, in this order.
        steps: Vec<ForwardStep>,
        /// Every event up to this seq is delivered, left out or has a row.
        position: Option<i64>,
        /// Dead letters up to this seq are forgotten, because their events are deleted.
        deleted: i64,
    },
}

/// The name under which the position of a destination is saved.
pub(in crate::store) fn offset_name(destination: &str) -> String {
    format!("forward:{destination}")
}

impl ForwardChange {
    pub(super) fn save(&self, connection: &Connection) -> Result<()> {
        let transaction = connection.unchecked_transaction()?;
        match self {
            Self::Resumed {
                destination,
                after,
                at,
            } => {
                transaction.execute(REREAD, params![destination, after])?;
                let lanes: Vec<i64> = transaction
                    .prepare_cached(LANES_WITHOUT_DUE)?
                    .query_map([destination], |row| row.get(0))?
                    .collect::<Result<_>>()?;
                for lane in lanes {
                    promote(&transaction, destination, lane, *at)?;
                }
            }
            Self::Progress {
                destination,
                steps,
                position,
                deleted,
            } => {
                for step in steps {
                    save_step(&transaction, destination, step)?;
                }
                if let Some(seq) = position {
                    let offset = Offset {
                        name: offset_name(destination),
                        seq: *seq,
                    };
                    offset.save(&transaction)?;
                }
                if *deleted > 0 {
                    transaction
                        .prepare_cached(FORGET_DEAD)?
                        .execute(params![destination, deleted])?;
                }
            }
        }
        transaction.commit()
    }
}

fn save_step(transaction: &Transaction<'_>, destination: &str, step: &ForwardStep) -> Result<()> {
    match step {
        ForwardStep::Queued { seq, lane, since } => transaction
            .prepare_cached(QUEUE)?
            .execute(params![destination, seq, lane, since.0])
            .map(drop),
        ForwardStep::Failed {
            seq,
            lane,
            since,
            attempts,
            due_at,
            at,
            problem,
        } => {
            let dead_at = due_at.is_none().then_some(at.0);
            transaction
                .prepare_cached(FAIL)?
                .execute(params![
                    destination,
                    seq,
                    lane,
                    since.0,
                    attempts,
                    due_at.map(|due| due.0),
                    dead_at,
                    problem,
                ])
                .map(drop)
        }
        ForwardStep::Delivered { seq } => transaction
            .prepare_cached(DELIVER)?
            .execute(params![destination, seq])
            .map(drop),
        ForwardStep::Expired { events, at } => transaction
            .prepare_cached(MISS)?
            .execute(params![destination, events, at.0])
            .map(drop),
        ForwardStep::Promoted { lane, at } => promote(transaction, destination, *lane, *at),
    }
}

fn promote(
    transaction: &Transaction<'_>,
    destination: &str,
    lane: i64,
    at: UnixMillis,
) -> Result<()> {
    let has_due = transaction
        .prepare_cached(HAS_DUE)?
        .query_row(params![destination, lane], |_| Ok(()))
        .optional()?;
    if has_due.is_some() {
        return Ok(());
    }
    transaction
        .prepare_cached(PROMOTE)?
        .execute(params![destination, lane, at.0])
        .map(drop)
}
