//! The state of the forward destinations in PostgreSQL: like that in SQLite, but shared, so that another node goes on from
//! it. Only the holder of the lease can change it.

use tokio_postgres::Row;

use super::error::SharedError;
use super::link::Link;
use crate::clock::UnixMillis;
use crate::model::DeadLetter;
use crate::store::commits::Commits;
use crate::store::query::forward::{SavedForward, WaitingEvent};
use crate::store::write::forward::{ForwardChange, ForwardStep};

const POSITION: &str = "SELECT seq FROM forward_position WHERE destination = $1";

/// A new destination begins at the newest event of PostgreSQL, or after a seq.
const BEGIN: &str = "
    INSERT INTO forward_position (destination, seq)
    SELECT $1, coalesce($2, (SELECT last FROM feed_head)) ON CONFLICT DO NOTHING";

const HEAD: &str = "SELECT last FROM feed_head";

const RESUME: &str = "SELECT resume_forward($1, $2, $3, $4, $5)";

const SAVE: &str = "SELECT save_forward($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

const LANES: &str = "
    SELECT lane, count(*) FROM forward_event WHERE destination = $1 AND dead_at IS NULL GROUP BY lane LIMIT $2";

/// Events behind the position that were tried: those before them in their lanes are delivered.
const TRIED: &str = "
    SELECT lane, max(seq) FROM forward_event WHERE destination = $1 AND seq > $2 GROUP BY lane";

const COUNTS: &str = "
    SELECT count(*), max(dead_at), (SELECT events FROM forward_expired WHERE destination = $1),
           (SELECT at FROM forward_expired WHERE destination = $1),
           (SELECT count(*) FROM forward_event WHERE destination = $1 AND dead_at IS NULL),
           (SELECT seq FROM forward_position WHERE destination = $1)
    FROM forward_event WHERE destination = $1 AND dead_at IS NOT NULL";

const DUE: &str = "
    SELECT seq, lane, since, attempts FROM forward_event
    WHERE destination = $1 AND due_at IS NOT NULL AND (due_at <= $2 OR due_at > $3) ORDER BY due_at LIMIT $4";

const BEHIND: &str = "
    SELECT seq, lane, since, attempts FROM forward_event
    WHERE destination = $1 AND lane = $2 AND dead_at IS NULL AND seq > $3 ORDER BY seq LIMIT $4";

const OLDEST: &str = "
    SELECT min(since) FROM (SELECT since FROM forward_event
    WHERE destination = $1 AND due_at IS NOT NULL ORDER BY due_at LIMIT 1000) first";

const DEAD: &str = "
    SELECT seq, attempts, dead_at, problem FROM forward_event
    WHERE destination = $1 AND dead_at IS NOT NULL AND seq > $2 ORDER BY seq LIMIT $3";

/// Loads and saves that state. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::store) struct SharedForwards {
    pub(in crate::store) link: Link,
    /// This node, as the leases name it.
    pub(in crate::store) holder: String,
    /// How far the copy is.
    pub(in crate::store) commits: Commits,
}

/// How a destination is doing, without the state of its task.
#[derive(Debug, Clone, Copy, Default)]
pub struct ForwardCounts {
    /// How far it has read; `None` if it is new.
    pub position: Option<i64>,
    /// Events that wait.
    pub waiting: u64,
    /// Dead letters, and when the newest one became one.
    pub dead: (i64, Option<UnixMillis>),
    /// Events that were deleted before they were delivered, and when that was last noticed.
    pub expired: (i64, Option<UnixMillis>),
}

impl SharedForwards {
    pub(in crate::store) async fn position(
        &self,
        destination: &str,
    ) -> Result<Option<i64>, SharedError> {
        let rows = self.link.read(POSITION, &[&destination]).await?;
        Ok(rows.first().map(|row| row.try_get(0)).transpose()?)
    }

    /// Saves where a new destination begins: after a seq, or at the newest event. One that is known keeps its position.
    pub(in crate::store) async fn begin(
        &self,
        destination: &str,
        after: Option<i64>,
    ) -> Result<(), SharedError> {
        self.link.write(BEGIN, &[&destination, &after]).await?;
        Ok(())
    }

    /// Waits until the copy has every event that another node can have left a row about.
    pub(in crate::store) async fn copied(&self) -> Result<(), SharedError> {
        let rows = self.link.read(HEAD, &[]).await?;
        if let Some(row) = rows.first() {
            let last: i64 = row.try_get(0)?;
            self.commits.clone().after(last - 1).await;
        }
        Ok(())
    }

    pub(in crate::store) async fn load(
        &self,
        destination: &str,
        after: i64,
        max_lanes: u32,
    ) -> Result<SavedForward, SharedError> {
        let counts = self.counts(destination).await?;
        let mut saved = SavedForward {
            dead: counts.dead,
            expired: counts.expired,
            ..SavedForward::default()
        };
        let limit = i64::from(max_lanes);
        for row in self.link.read(LANES, &[&destination, &limit]).await? {
            let count: i64 = row.try_get(1)?;
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            saved.lanes.insert(row.try_get(0)?, count);
        }
        for row in self.link.read(TRIED, &[&destination, &after]).await? {
            saved.tried.insert(row.try_get(0)?, row.try_get(1)?);
        }
        Ok(saved)
    }

    pub(in crate::store) async fn counts(
        &self,
        destination: &str,
    ) -> Result<ForwardCounts, SharedError> {
        let rows = self.link.read(COUNTS, &[&destination]).await?;
        let Some(row) = rows.first() else {
            return Ok(ForwardCounts::default());
        };
        let moment = |index| row.try_get::<_, Option<i64>>(index);
        let waiting: i64 = row.try_get(4)?;
        Ok(ForwardCounts {
            dead: (row.try_get(0)?, moment(1)?.map(UnixMillis)),
            expired: (moment(2)?.unwrap_or(0), moment(3)?.map(UnixMillis)),
            waiting: waiting.unsigned_abs(),
            position: row.try_get(5)?,
        })
    }

    pub(in crate::store) async fn due(
        &self,
        destination: &str,
        (now, latest): (UnixMillis, UnixMillis),
        limit: u32,
    ) -> Result<Vec<WaitingEvent>, SharedError> {
        let limit = i64::from(limit);
        let rows = self
            .link
            .read(DUE, &[&destination, &now.0, &latest.0, &limit])
            .await?;
        rows.iter().map(waiting).collect()
    }

    pub(in crate::store) async fn lane(
        &self,
        destination: &str,
        (lane, after): (i64, i64),
        limit: u32,
    ) -> Result<Vec<WaitingEvent>, SharedError> {
        let limit = i64::from(limit);
        let rows = self
            .link
            .read(BEHIND, &[&destination, &lane, &after, &limit])
            .await?;
        rows.iter().map(waiting).collect()
    }

    pub(in crate::store) async fn oldest(
        &self,
        destination: &str,
    ) -> Result<Option<UnixMillis>, SharedError> {
        let rows = self.link.read(OLDEST, &[&destination]).await?;
        let oldest = rows.first().map(|row| row.try_get::<_, Option<i64>>(0));
        Ok(oldest.transpose()?.flatten().map(UnixMillis))
    }

    /// Dead letters after a seq, without what their events tell.
    pub(in crate::store) async fn dead_letters(
        &self,
        destination: &str,
        after: i64,
        limit: i64,
    ) -> Result<Vec<DeadLetter>, SharedError> {
        let rows = self
            .link
            .read(DEAD, &[&destination, &after, &limit])
            .await?;
        let dead = rows.iter().map(|row| {
            Ok(DeadLetter {
                seq: row.try_get(0)?,
                attempts: attempts(row, 1)?,
                dead_at: UnixMillis(row.try_get(2)?),
                problem: row.try_get(3)?,
                id_instance: None,
                type_webhook: None,
            })
        });
        dead.collect()
    }

    /// Saves a change of the holder in the term `term`. Whether it is saved: it is not if another node has the lease.
    pub(in crate::store) async fn save(
        &self,
        term: i64,
        change: &ForwardChange,
    ) -> Result<bool, SharedError> {
        let me = &self.holder;
        let rows = match change {
            ForwardChange::Resumed {
                destination,
                after,
                at,
            } => {
                let values: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
                    [me, &term, destination, after, &at.0];
                self.link.write(RESUME, &values).await?
            }
            ForwardChange::Progress {
                destination,
                steps,
                position,
                deleted,
            } => {
                let steps = Steps::of(steps);
                self.link
                    .write(
                        SAVE,
                        &[
                            me,
                            &term,
                            destination,
                            position,
                            deleted,
                            &steps.kinds,
                            &steps.seqs,
                            &steps.lanes,
                            &steps.moments,
                            &steps.attempts,
                            &steps.dues,
                            &steps.deads,
                            &steps.problems,
                        ],
                    )
                    .await?
            }
        };
        let is_saved = rows.first().map(|row| row.try_get(0)).transpose()?;
        Ok(is_saved.unwrap_or(false))
    }
}

/// Steps as the columns of `save_forward`.
#[derive(Default)]
struct Steps<'s> {
    kinds: Vec<i64>,
    seqs: Vec<i64>,
    lanes: Vec<i64>,
    moments: Vec<i64>,
    attempts: Vec<i64>,
    dues: Vec<Option<i64>>,
    deads: Vec<Option<i64>>,
    problems: Vec<&'s str>,
}

impl<'s> Steps<'s> {
    fn of(steps: &'s [ForwardStep]) -> Self {
        let mut all = Self::default();
        for step in steps {
            match step {
                ForwardStep::Queued { seq, lane, since } => all.add(0, *seq, *lane, *since),
                ForwardStep::Failed {
                    seq,
                    lane,
                    since,
                    attempts,
                    due_at,
                    at,
                    problem,
                } => {
                    let last = all.kinds.len();
                    all.add(1, *seq, *lane, *since);
                    all.attempts[last] = (*attempts).into();
                    all.dues[last] = due_at.map(|due| due.0);
                    all.deads[last] = due_at.is_none().then_some(at.0);
                    all.problems[last] = problem;
                }
                ForwardStep::Delivered { seq } => all.add(2, *seq, 0, UnixMillis(0)),
                ForwardStep::Expired { events, at } => all.add(3, *events, 0, *at),
                ForwardStep::Promoted { lane, at } => all.add(4, 0, *lane, *at),
            }
        }
        all
    }

    fn add(&mut self, kind: i64, seq: i64, lane: i64, moment: UnixMillis) {
        self.kinds.push(kind);
        self.seqs.push(seq);
        self.lanes.push(lane);
        self.moments.push(moment.0);
        self.attempts.push(0);
        self.dues.push(None);
        self.deads.push(None);
        self.problems.push("");
    }
}

fn waiting(row: &Row) -> Result<WaitingEvent, SharedError> {
    Ok(WaitingEvent {
        seq: row.try_get(0)?,
        lane: row.try_get(1)?,
        since: UnixMillis(row.try_get(2)?),
        attempts: attempts(row, 3)?,
    })
}

fn attempts(row: &Row, index: usize) -> Result<u32, SharedError> {
    let attempts: i64 = row.try_get(index)?;
    Ok(u32::try_from(attempts).unwrap_or(u32::MAX))
}
