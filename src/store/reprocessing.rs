//! Parses all events again while the server runs: in small steps through the writer, behind the notifications.
//!
//! The events are read and parsed on a connection of its own. The writer only changes the rows that differ and stores
//! how far the pass is. At the end it renews the epoch, in the transaction that ends the pass, and the projection is
//! derived again, as the command does it while no server runs.

use std::future::pending;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::{Instant, sleep};
use tracing::{error, info};

use super::epoch;
use super::error::{OpenError, Unavailable};
use super::event_connection::EventConnection;
use super::maintenance::chunk::{Chunk, Limits};
use super::write::queue::Writer;
use super::write::reprocess::{ReprocessChange, ReprocessStep};

/// The size of a step. The notifications that arrive meanwhile wait for its commit, which writes the changed events.
const LIMITS: Limits = Limits {
    events: 1024,
    bytes: 1024 * 1024,
    changed: 64,
    changed_bytes: 256 * 1024,
};

/// Rest after a step, as a multiple of the time that it took.
const REST: u32 = 3;

/// Pause after a failure.
const RETRY: Duration = Duration::from_mins(1);

const STATE: &str = "SELECT seq, last FROM reprocess WHERE NOT is_done";

/// Requests that may wait. Further ones wait for room.
const MAX_REQUESTS: usize = 4;

/// Where the result of storing a request goes.
type Answer = oneshot::Sender<Result<(), Unavailable>>;

/// Carries out the passes that are asked for. It holds a handle to the writer, which ends only after this is dropped.
#[derive(Debug)]
pub struct Reprocessing {
    writer: Writer,
    /// A connection of its own, so that readers cannot hold it up.
    events: Arc<Mutex<EventConnection>>,
    requests: mpsc::Sender<Answer>,
    requested: mpsc::Receiver<Answer>,
}

/// Asks for a pass. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReprocessRequests(mpsc::Sender<Answer>);

impl ReprocessRequests {
    /// Begins a pass over all events that are stored now, unless one is running. When this returns `Ok`, the request
    /// is on disk: a restart carries it out too.
    ///
    /// # Errors
    ///
    /// The program is stopping, or the commit failed.
    pub async fn begin(&self) -> Result<(), Unavailable> {
        let (answer, answered) = oneshot::channel();
        let sent = self.0.send(answer).await;
        sent.map_err(|_| Unavailable::Stopped)?;
        answered.await.unwrap_or(Err(Unavailable::Stopped))
    }
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error("the events cannot be read: {0}")]
    Read(#[from] rusqlite::Error),
    #[error("the thread that reads the events ended: {0}")]
    Thread(#[from] JoinError),
    #[error(transparent)]
    Write(#[from] Unavailable),
    #[error("the operating system returned no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

impl Reprocessing {
    pub(in crate::store) fn open(path: &Path, writer: Writer) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let events = Connection::open_with_flags(path, flags)?;
        events.pragma_update(None, "cache_size", -256)?;
        let (requests, requested) = mpsc::channel(MAX_REQUESTS);
        Ok(Self {
            writer,
            events: Arc::new(Mutex::new(EventConnection::new(events))),
            requests,
            requested,
        })
    }

    /// Where passes are asked for.
    #[must_use]
    pub fn requests(&self) -> ReprocessRequests {
        ReprocessRequests(self.requests.clone())
    }

    /// Runs until it is dropped. Begins with the pass that a restart has interrupted.
    pub async fn run(mut self) {
        loop {
            let start = Instant::now();
            let rest = match self.step().await {
                Ok(true) => Some(start.elapsed() * REST),
                Ok(false) => None,
                Err(failure) => {
                    error!(
                        %failure,
                        "the stored events cannot be parsed again: {failure}\n  help: look for earlier errors of the \
                         database; the server tries again every minute"
                    );
                    Some(RETRY)
                }
            };
            self.rest(rest).await;
        }
    }

    /// Rests until the time has passed or a pass is asked for.
    async fn rest(&mut self, time: Option<Duration>) {
        let passed = async {
            match time {
                Some(time) => sleep(time).await,
                None => pending().await,
            }
        };
        tokio::select! {
            // This struct has a sender, so the channel is open.
            Some(answer) = self.requested.recv() => {
                // The request may have ended.
                let _ = answer.send(self.writer.reprocess(ReprocessChange::Begin).await);
            }
            () = passed => {}
        }
    }

    /// Runs one step. Returns `false` if there is nothing to do.
    async fn step(&self) -> Result<bool, StepError> {
        let events = Arc::clone(&self.events);
        let read = spawn_blocking(move || {
            let events = events.lock().unwrap_or_else(PoisonError::into_inner);
            next(&events)
        });
        let Some(chunk) = read.await?? else {
            return Ok(false);
        };
        let change = match chunk.last {
            Some(through) => ReprocessChange::Step(ReprocessStep {
                through,
                events: chunk.events,
                damaged: chunk.damaged,
                changed: chunk.changed,
            }),
            None => ReprocessChange::Finish(epoch::random()?),
        };
        let is_end = matches!(change, ReprocessChange::Finish(_));
        self.writer.reprocess(change).await?;
        if is_end {
            info!("all stored events were parsed again");
        }
        Ok(true)
    }
}

/// The next events of the pass, if there is one.
fn next(events: &EventConnection) -> rusqlite::Result<Option<Chunk>> {
    let state = events
        .prepare_cached(STATE)?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    state
        .map(|(seq, last)| Chunk::read(events, (seq, last), LIMITS))
        .transpose()
}
