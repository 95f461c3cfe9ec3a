//! Appends the notifications of this node to PostgreSQL: group commit as in the writer of SQLite, with one call for each
//! batch. While one call runs, the next batch gathers. Before it is sent, it waits a moment to become as large as the last
//! one. While PostgreSQL is away, every notification is refused at once.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::Statement;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::error::SharedError;
use super::lineage::{Identity, confirm};
use super::logged::Logged;
use super::own::OwnEvents;
use super::position::head;
use super::session::{Session, SharedAt};
use super::status::NodeStatus;
use super::{requirements, schema};
use crate::metrics::Metrics;
use crate::store::error::Unavailable;
use crate::store::event::{Appended, NewEvent};
use crate::store::write::queue::Append;

/// Notifications in one batch. Those beyond it wait for the next batch.
const MAX_BATCH: usize = 512;

/// Bytes of the bodies of one batch. A batch has at least one notification, whatever its size.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Time that a batch waits to become as large as the last one.
const GATHERING: Duration = Duration::from_millis(1);

/// Time to connect and to check PostgreSQL.
const OPEN_TIMEOUT: Duration = Duration::from_secs(20);

/// Pause before the first attempt to connect again. It doubles with each failure.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause.
const LAST_PAUSE: Duration = Duration::from_secs(2);

const APPEND: &str = "SELECT seq, repeated, changes FROM append_batch($1, $2, $3, $4, $5, $6)";

/// The task that appends.
#[derive(Debug)]
pub(in crate::store) struct Appender {
    pub(in crate::store) at: SharedAt,
    /// What the node's copy belongs to.
    pub(in crate::store) identity: Identity,
    pub(in crate::store) queue: mpsc::Receiver<Append>,
    pub(in crate::store) status: NodeStatus,
    pub(in crate::store) metrics: Metrics,
    /// Takes what was stored, for the copy.
    pub(in crate::store) own: OwnEvents,
    /// Cancelled if PostgreSQL has other events than the copy.
    pub(in crate::store) rewound: CancellationToken,
    /// The first connection, so that the node is ready when it begins to listen; `None`: it has to connect.
    pub(in crate::store) first: Option<Ready>,
}

/// A connection that is ready to append.
pub(in crate::store) struct Ready {
    session: Session,
    append: Statement,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ready")
    }
}

impl Appender {
    /// Runs until every handle to the queue is dropped.
    pub(in crate::store) async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        let mut logged = Logged::default();
        loop {
            let connected = match self.first.take() {
                Some(ready) => Some(Ok(ready)),
                None => self.refuse_during(self.at.clone()).await,
            };
            let Some(connected) = connected else {
                return;
            };
            let ready = match connected {
                Ok(ready) => {
                    pause = FIRST_PAUSE;
                    logged.clear();
                    ready
                }
                Err(failure) => {
                    if logged.is_new(&failure) {
                        warn!(%failure, "notifications cannot be stored: {failure}\n  help: {}", failure.help());
                    }
                    if matches!(failure, SharedError::Rewound) {
                        self.rewound.cancel();
                    }
                    if !self.refuse_for(pause).await {
                        return;
                    }
                    pause = (pause * 2).min(LAST_PAUSE);
                    continue;
                }
            };
            self.status.set_appending(true);
            let end = self.append(&ready).await;
            self.status.set_appending(false);
            match end {
                None => return,
                Some(failure) => {
                    error!(%failure, "notifications were not stored: {failure}; connecting again");
                }
            }
        }
    }

    /// Connects. Refuses notifications meanwhile. `None`: the queue is closed.
    async fn refuse_during(&mut self, at: SharedAt) -> Option<Result<Ready, SharedError>> {
        let identity = self.identity.clone();
        let opening = timeout(OPEN_TIMEOUT, open(&at, &identity));
        tokio::pin!(opening);
        loop {
            tokio::select! {
                ready = &mut opening => {
                    let too_late = SharedError::Timeout(OPEN_TIMEOUT.as_secs());
                    return Some(ready.unwrap_or(Err(too_late)));
                }
                append = self.queue.recv() => refuse(append?, Unavailable::Away),
            }
        }
    }

    /// Refuses notifications for some time. Returns `false` if the queue is closed.
    async fn refuse_for(&mut self, time: Duration) -> bool {
        let passed = sleep(time);
        tokio::pin!(passed);
        loop {
            tokio::select! {
                () = &mut passed => return true,
                append = self.queue.recv() => match append {
                    Some(append) => refuse(append, Unavailable::Away),
                    None => return false,
                },
            }
        }
    }

    /// Appends batches until the queue is closed, or until a call fails.
    async fn append(&mut self, ready: &Ready) -> Option<SharedError> {
        let mut waiting: Vec<Append> = Vec::with_capacity(MAX_BATCH);
        let mut last = 0;
        loop {
            if waiting.is_empty() {
                tokio::select! {
                    taken = self.queue.recv_many(&mut waiting, MAX_BATCH) => {
                        if taken == 0 {
                            return None;
                        }
                    }
                    // An idle connection that was lost is noticed before a notification needs it.
                    () = ready.ended() => return Some(SharedError::Unreachable("the connection was lost".to_owned())),
                }
            }
            self.gather(&mut waiting, last).await;
            last = waiting.len();
            let rest = waiting.split_off(size_of_batch(&waiting));
            let batch = std::mem::replace(&mut waiting, rest);
            let start = Instant::now();
            let events = batch.iter().map(|append| &append.event);
            match ready.append(events.collect()).await {
                Ok(stored) => {
                    self.metrics.committed(stored.rows.len(), start.elapsed());
                    self.metrics.appended(start.elapsed());
                    self.answer(batch, &stored);
                }
                Err(failure) => {
                    for append in batch.into_iter().chain(waiting.drain(..)) {
                        refuse(append, Unavailable::Failed);
                    }
                    return Some(failure);
                }
            }
        }
    }

    /// Waits until as many notifications wait as in the last batch: the clients that it answered are sending their next
    /// ones. Many small batches cost more than few large ones, and the nodes store them one after the other.
    async fn gather(&mut self, waiting: &mut Vec<Append>, last: usize) {
        let until = Instant::now() + GATHERING;
        while waiting.len() < last.min(MAX_BATCH) {
            let more = self.queue.recv_many(waiting, MAX_BATCH - waiting.len());
            // If the queue is closed, the waiting notifications are still stored.
            if !timeout_at(until, more).await.is_ok_and(|taken| taken > 0) {
                break;
            }
        }
    }

    /// Answers the requests of a committed batch.
    fn answer(&self, batch: Vec<Append>, stored: &Stored) {
        let (events, answers): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|Append { event, answer }| (event, answer))
            .unzip();
        let new = events.into_iter().zip(&stored.rows);
        let new = new.filter(|(_, appended)| !appended.repeated);
        self.own
            .keep(new.map(|(event, appended)| (appended.seq, event)));
        if let Some(newest) = stored.rows.iter().map(|appended| appended.seq).max() {
            // Before the answers, so that an answered client finds its event in every list.
            self.status.acknowledge(newest, stored.changes);
        }
        for (answer, appended) in answers.into_iter().zip(&stored.rows) {
            // The request may have ended.
            let _ = answer.send(Ok(*appended));
        }
    }
}

/// A committed batch.
struct Stored {
    rows: Vec<Appended>,
    /// The newest change of a count of deliveries.
    changes: i64,
}

/// Connects, and checks that PostgreSQL is set up as it must be and has the events of the copy.
pub(in crate::store) async fn open(
    at: &SharedAt,
    identity: &Identity,
) -> Result<Ready, SharedError> {
    let mut session = at.open().await?;
    requirements::check(&session, at).await?;
    // A node that started while PostgreSQL was away has not done it.
    schema::migrate(&mut session).await?;
    confirm(&mut session, identity).await?;
    // Without one, every call would fail.
    head(&session).await?;
    let append = session.within(session.client.prepare(APPEND)).await?;
    info!("connected to PostgreSQL; notifications are stored there");
    Ok(Ready { session, append })
}

impl Ready {
    /// Stores a batch. When this returns `Ok`, it is committed, and on the standby if PostgreSQL waits for one.
    async fn append(&self, events: Vec<&NewEvent>) -> Result<Stored, SharedError> {
        let bodies: Vec<&[u8]> = events.iter().map(|event| &*event.body).collect();
        let digests: Vec<&[u8]> = events.iter().map(|event| &event.digest[..]).collect();
        let keys: Vec<i64> = events.iter().map(|event| key(event)).collect();
        let timestamps: Vec<Option<i64>> =
            events.iter().map(|event| event.columns.timestamp).collect();
        let arrivals: Vec<i64> = events.iter().map(|event| event.received_at.0).collect();
        let origins: Vec<&str> = events.iter().map(|event| event.origin.name()).collect();
        let rows = self
            .session
            .commit(self.session.client.query(
                &self.append,
                &[&bodies, &digests, &keys, &timestamps, &arrivals, &origins],
            ))
            .await?;
        let mut stored = Stored {
            rows: Vec::with_capacity(rows.len()),
            changes: 0,
        };
        for row in &rows {
            stored.rows.push(Appended {
                seq: row.try_get(0)?,
                repeated: row.try_get(1)?,
            });
            stored.changes = row.try_get(2)?;
        }
        if stored.rows.len() != events.len() {
            let (given, found) = (events.len(), stored.rows.len());
            let problem = format!("append_batch answered {found} of {given} rows");
            return Err(SharedError::Failed(problem));
        }
        Ok(stored)
    }

    /// Waits until the connection has ended.
    async fn ended(&self) {
        while !self.session.client.is_closed() {
            self.session.hinted.notified().await;
        }
    }
}

/// The first 8 bytes of the digest.
fn key(event: &NewEvent) -> i64 {
    i64::from_be_bytes(std::array::from_fn(|index| event.digest[index]))
}

/// How many of the waiting notifications one batch takes.
fn size_of_batch(waiting: &[Append]) -> usize {
    let mut bytes = 0_usize;
    let fits = waiting.iter().take_while(|append| {
        bytes = bytes.saturating_add(append.event.body.len());
        bytes <= MAX_BYTES
    });
    fits.count().clamp(1, waiting.len())
}

fn refuse(append: Append, reason: Unavailable) {
    let Append { event, answer } = append;
    drop(event);
    // The request may have ended.
    let _ = answer.send(Err(reason));
}
