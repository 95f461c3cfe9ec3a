//! Copies the events from PostgreSQL into this node's database, with the same seqs, and the counts of deliveries after
//! them. PostgreSQL's notifications and this node's own commits are hints; the copier also looks from time to time.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_postgres::Row;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::error::SharedError;
use super::lineage::{Identity, confirm, past_epochs};
use super::logged::Logged;
use super::own::OwnEvents;
use super::position::{Fit, Head, Position, fit, head};
use super::session::{Session, SharedAt};
use super::standby;
use super::status::NodeStatus;
use crate::clock::UnixMillis;
use crate::metrics::Metrics;
use crate::model::Origin;
use crate::notification;
use crate::store::event::NewEvent;
use crate::store::write::copied::{Copied, CopiedCount};
use crate::store::write::queue::Writer;

/// Time between two looks without a hint, if the last one found nothing.
const INTERVAL: Duration = Duration::from_millis(200);

/// Time from one look to the next after new events, unless a reader waits: the events of a burst gather, and are copied
/// with few statements and commits. PostgreSQL sends no hint for events that follow so soon.
const GATHERING: Duration = Duration::from_millis(25);

/// Events of one statement.
pub(in crate::store) const STATEMENT_EVENTS: i64 = 4096;

/// Events of one local commit.
const COMMIT_EVENTS: usize = 512;

/// Bytes of the bodies of one local commit, at least one event.
const COMMIT_BYTES: usize = 4 * 1024 * 1024;

/// Counts of one local commit.
const COMMIT_COUNTS: i64 = 1024;

/// Time between two looks at the standbys.
const STANDBY_INTERVAL: Duration = Duration::from_secs(5);

/// Time for the next row. A server that hangs keeps its connections open.
const ROW_TIMEOUT: Duration = Duration::from_secs(7);

/// Time to connect and to compare the copy.
const OPEN_TIMEOUT: Duration = Duration::from_secs(20);

/// Pause after a failure.
const PAUSE: Duration = Duration::from_millis(500);

/// Reading waits for the local commits, so a statement may take longer than one of the appender.
const SETTINGS: &str = "SET statement_timeout = '60s'; LISTEN green_inbox_feed";

/// Reads ranges of events. They are not sorted as a whole, so that the bodies need not fit into PostgreSQL's memory.
const EVENTS: &str = "
    SELECT e.* FROM unnest($1::bigint[], $2::bigint[]) AS gap (after, through), LATERAL (
        SELECT seq, received_at, digest, origin, body FROM event
        WHERE seq > gap.after AND seq <= gap.through ORDER BY seq
    ) e";

const COUNTS: &str = "
    SELECT seq, deliveries, last_received_at, change FROM repeat
    WHERE change > $1 AND change <= $2 AND seq > (SELECT seq FROM retention) ORDER BY change LIMIT $3";

/// The task that copies.
#[derive(Debug)]
pub(in crate::store) struct Copier {
    pub(in crate::store) at: SharedAt,
    /// What the copy belongs to.
    pub(in crate::store) identity: Identity,
    /// Writes the copy.
    pub(in crate::store) writer: Writer,
    pub(in crate::store) status: NodeStatus,
    pub(in crate::store) metrics: Metrics,
    pub(in crate::store) position: Position,
    /// Events that need not be read from PostgreSQL.
    pub(in crate::store) own: OwnEvents,
    /// Cancelled if PostgreSQL has other events than the copy.
    pub(in crate::store) rewound: CancellationToken,
}

impl Copier {
    /// Runs until `stop` is cancelled, or until PostgreSQL has other events than the copy.
    pub(in crate::store) async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.follow() => self.rewound.cancel(),
        }
    }

    /// Follows PostgreSQL, and connects again after a failure.
    async fn follow(&mut self) {
        let mut logged = Logged::default();
        loop {
            let opened = timeout(OPEN_TIMEOUT, self.open()).await;
            let failure = match opened.unwrap_or(Err(SharedError::Timeout(OPEN_TIMEOUT.as_secs())))
            {
                Ok(session) => {
                    logged.clear();
                    info!(seq = self.position.seq, "copying the events of PostgreSQL");
                    self.status.copied_changes(self.position.changes);
                    self.status.set_copying(true);
                    let Err(failure) = self.copy(&session).await;
                    self.status.set_copying(false);
                    failure
                }
                Err(failure) => failure,
            };
            match failure {
                SharedError::Rewound => return,
                _ if !logged.is_new(&failure) => {}
                SharedError::Damaged(_) => {
                    error!(%failure, "the copy cannot go on: {failure}\n  help: {}", failure.help());
                }
                _ => {
                    warn!(
                        %failure,
                        "the events of PostgreSQL cannot be copied: {failure}; readers see those up to seq {}",
                        self.position.seq
                    );
                }
            }
            sleep(PAUSE).await;
        }
    }

    async fn open(&self) -> Result<Session, SharedError> {
        let mut session = self.at.open().await?;
        confirm(&mut session, &self.identity).await?;
        if fit(&session, self.position).await? != Fit::Same {
            return Err(SharedError::Rewound);
        }
        self.status.set_past_epochs(past_epochs(&session).await?);
        session.client.batch_execute(SETTINGS).await?;
        Ok(session)
    }

    async fn copy(&mut self, session: &Session) -> Result<std::convert::Infallible, SharedError> {
        let mut asked: Option<Instant> = None;
        loop {
            if asked.is_none_or(|at| at.elapsed() >= STANDBY_INTERVAL) {
                asked = Some(Instant::now());
                self.status
                    .set_standbys(Some(standby::read(session).await?));
            }
            let began = Instant::now();
            let Head {
                seq: last,
                changes,
                deleted,
            } = head(session).await?;
            if last < self.position.seq || deleted > self.position.seq {
                return Err(SharedError::Rewound);
            }
            self.status.looked(last);
            self.status.set_deleted(deleted);
            let is_new = self.position.seq < last || self.position.changes < changes;
            while self.position.seq < last {
                let through = last.min(self.position.seq + STATEMENT_EVENTS);
                self.copy_events(session, through).await?;
            }
            // They count deliveries of the events up to `last`, which are copied now.
            while self.position.changes < changes {
                self.copy_counts(session, changes).await?;
            }
            self.status.completed(began);
            let next = began + if is_new { GATHERING } else { INTERVAL };
            tokio::select! {
                () = self.hinted(session, began) => {}
                () = self.status.wanted() => {}
                () = sleep_until(next) => {}
            }
        }
    }

    /// Waits for a hint, and then until events have gathered.
    async fn hinted(&self, session: &Session, began: Instant) {
        tokio::select! {
            () = session.hinted.notified() => {}
            () = self.status.poked() => {}
        }
        sleep_until(began + GATHERING).await;
    }

    /// Copies the events up to the seq `through`, which are all committed.
    pub(in crate::store) async fn copy_events(
        &mut self,
        session: &Session,
        through: i64,
    ) -> Result<(), SharedError> {
        let mut own = self.own.take(self.position.seq, through);
        let (after, up_to) = gaps(&own, self.position.seq, through);
        let mut rows = if after.is_empty() {
            None
        } else {
            let rows = session.client.query_raw(EVENTS, [after, up_to]).await?;
            Some(Box::pin(rows))
        };
        let (mut batch, mut bytes) = (Copied::default(), 0);
        for expected in self.position.seq + 1..=through {
            let next = match (own.front(), &mut rows) {
                (Some((seq, _)), _) if *seq == expected => own.pop_front(),
                (_, Some(rows)) => match timeout(ROW_TIMEOUT, rows.next()).await {
                    Ok(row) => row.transpose()?.map(|row| read(&row)).transpose()?,
                    Err(_) => return Err(SharedError::Timeout(ROW_TIMEOUT.as_secs())),
                },
                (_, None) => None,
            };
            let Some((seq, event)) = next.filter(|(seq, _)| *seq == expected) else {
                drop(rows);
                return Err(self.missing(session, expected).await?);
            };
            bytes += event.body.len();
            if let Some(id) = event.columns.id_instance {
                self.metrics.spoke(id, event.received_at.0);
            }
            batch.events.push((seq, event));
            if batch.events.len() >= COMMIT_EVENTS || bytes >= COMMIT_BYTES {
                self.commit(std::mem::take(&mut batch)).await?;
                bytes = 0;
            }
        }
        self.commit(batch).await
    }

    /// Why an event is missing: retention may have deleted it meanwhile.
    async fn missing(&self, session: &Session, seq: i64) -> Result<SharedError, SharedError> {
        let is_deleted = head(session).await?.deleted >= seq;
        Ok(if is_deleted {
            SharedError::Rewound
        } else {
            SharedError::Damaged(seq)
        })
    }

    /// Copies the next changes of counts, up to a change that is committed.
    pub(in crate::store) async fn copy_counts(
        &mut self,
        session: &Session,
        changes: i64,
    ) -> Result<(), SharedError> {
        let client = &session.client;
        let after = self.position.changes;
        let rows = session
            .within(client.query(COUNTS, &[&after, &changes, &COMMIT_COUNTS]))
            .await?;
        let is_last = i64::try_from(rows.len()).unwrap_or(i64::MAX) < COMMIT_COUNTS;
        let mut batch = Copied {
            // A later change of the same count leaves a gap.
            changes: is_last.then_some(changes),
            ..Copied::default()
        };
        for row in &rows {
            batch.counts.push(CopiedCount {
                seq: row.try_get(0)?,
                deliveries: row.try_get(1)?,
                last_received_at: row.try_get(2)?,
            });
            if !is_last {
                batch.changes = Some(row.try_get(3)?);
            }
        }
        self.commit(batch).await
    }

    /// Commits a batch into the local database.
    async fn commit(&mut self, batch: Copied) -> Result<(), SharedError> {
        let newest = batch.events.last();
        let newest = newest.map(|(seq, event)| (*seq, event.received_at.0, event.digest));
        let changes = batch.changes;
        if newest.is_none() && changes.is_none() {
            return Ok(());
        }
        self.writer.copy(batch).await.map_err(|failure| {
            SharedError::Failed(format!("the local database did not take them: {failure}"))
        })?;
        if let Some((seq, received_at, digest)) = newest {
            self.position.seq = seq;
            self.position.newest = Some((received_at, digest));
        }
        if let Some(changes) = changes {
            self.position.changes = changes;
            self.status.copied_changes(changes);
        }
        Ok(())
    }
}

/// The ranges between the own events of a range, as the seqs before them and the seqs at their ends.
fn gaps(own: &VecDeque<(i64, NewEvent)>, after: i64, through: i64) -> (Vec<i64>, Vec<i64>) {
    let mut last = after;
    let ends = own.iter().map(|(seq, _)| *seq).chain([through + 1]);
    let gaps = ends.filter_map(|end| {
        let gap = (last, end - 1);
        last = end;
        (gap.0 < gap.1).then_some(gap)
    });
    gaps.unzip()
}

/// The event of a row. It is parsed here: PostgreSQL has only what cannot be derived from the body.
fn read(row: &Row) -> Result<(i64, NewEvent), SharedError> {
    let seq: i64 = row.try_get(0)?;
    let digest: &[u8] = row.try_get(2)?;
    let origin = Origin::from_name(row.try_get(3)?);
    let body = Bytes::copy_from_slice(row.try_get::<_, &[u8]>(4)?);
    let event = NewEvent::new(
        UnixMillis(row.try_get(1)?),
        &notification::parse(&body),
        &body,
    );
    match origin {
        Some(origin) if event.digest == *digest => Ok((seq, event.with_origin(origin))),
        _ => Err(SharedError::Damaged(seq)),
    }
}
