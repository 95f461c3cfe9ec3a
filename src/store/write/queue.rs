//! The queue of the writer: what it can be asked to do, and the handle that asks.

use tokio::sync::{mpsc, oneshot};

use super::change::Change;
use super::compress::{CompressStep, Compressed};
use super::copied::Copied;
use super::prune::Pruned;
use super::reprocess::ReprocessChange;
use super::thin::{ThinStep, Thinned};
use crate::metrics::Metrics;
use crate::store::admission::Admission;
use crate::store::compress::Compression;
use crate::store::error::Unavailable;
use crate::store::event::{Appended, NewEvent};

/// Sends commands to the writer thread. Cheap to clone. When the last clone is dropped, the thread commits
/// what is waiting and ends.
#[derive(Debug, Clone)]
pub struct Writer {
    queue: mpsc::Sender<Command>,
    /// Where notifications go instead, if several nodes share them.
    shared: Option<mpsc::Sender<Append>>,
    admission: Admission,
    compression: Compression,
    metrics: Metrics,
}

/// What the writer thread does.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every command is an `Append`"
)]
pub(super) enum Command {
    Append(Append),
    Save(Save),
    Prune(Prune),
    Thin(Thin),
    Compress(Compress),
    Reprocess(Reprocess),
    Copy(Copy),
    /// Nothing to do but what follows each batch.
    Wake,
}

/// Deletes the oldest events up to a seq, as many as one step allows, then gives some free pages back.
#[derive(Debug)]
pub(super) struct Prune {
    pub(super) through: i64,
    pub(super) release_pages: u32,
    pub(super) answer: oneshot::Sender<Result<Pruned, Unavailable>>,
}

/// Replaces the bodies of old events.
#[derive(Debug)]
pub(super) struct Thin {
    pub(super) step: ThinStep,
    pub(super) answer: oneshot::Sender<Result<Thinned, Unavailable>>,
}

/// Replaces stored bodies by their frames.
#[derive(Debug)]
pub(super) struct Compress {
    pub(super) step: CompressStep,
    pub(super) answer: oneshot::Sender<Result<Compressed, Unavailable>>,
}

/// A change of the pass that parses all events again.
#[derive(Debug)]
pub(super) struct Reprocess {
    pub(super) change: ReprocessChange,
    pub(super) answer: oneshot::Sender<Result<(), Unavailable>>,
}

/// Events to copy from PostgreSQL.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) copied: Copied,
    pub(super) answer: oneshot::Sender<Result<(), Unavailable>>,
}

/// A change to save, and where to send the result.
#[derive(Debug)]
pub(super) struct Save {
    pub(super) change: Change,
    pub(super) answer: oneshot::Sender<Result<(), Unavailable>>,
}

/// A notification to store, and where to send the result.
#[derive(Debug)]
pub(in crate::store) struct Append {
    pub(in crate::store) event: NewEvent,
    pub(in crate::store) answer: oneshot::Sender<Result<Appended, Unavailable>>,
}

impl Writer {
    /// A handle to the writer thread that reads the other end of `queue`.
    pub(super) fn new(
        queue: mpsc::Sender<Command>,
        compression: Compression,
        metrics: Metrics,
    ) -> Self {
        Self {
            queue,
            shared: None,
            admission: Admission::default(),
            compression,
            metrics,
        }
    }

    /// Stores a notification. When this returns `Ok`, the commit has returned and the notification is on
    /// disk.
    ///
    /// # Errors
    ///
    /// The queue is full, the writer has stopped, or the commit failed; nothing was promised. After a failed
    /// commit the notification may be stored all the same. If it is sent again, it is found as a duplicate.
    pub async fn append(&self, event: NewEvent) -> Result<Appended, Unavailable> {
        self.admission.check(event.body.len())?;
        let _waiting = self.metrics.waiting();
        let (answer, answered) = oneshot::channel();
        let append = Append { event, answer };
        match &self.shared {
            None => send(&self.queue, Command::Append(append))?,
            Some(shared) => send(shared, append)?,
        }
        answered.await.unwrap_or(Err(Unavailable::Stopped))
    }

    /// Saves a change. When this returns `Ok`, it is on disk. Waits for room in the queue.
    pub(in crate::store) async fn save(&self, change: Change) -> Result<(), Unavailable> {
        self.request(|answer| Command::Save(Save { change, answer }))
            .await
    }

    /// Deletes the oldest events up to the seq `through`, as many as one step allows, and gives up to
    /// `release_pages` free pages back. When this returns `Ok`, it is on disk. Waits for room in the queue.
    pub(in crate::store) async fn prune(
        &self,
        through: i64,
        release_pages: u32,
    ) -> Result<Pruned, Unavailable> {
        self.request(|answer| {
            Command::Prune(Prune {
                through,
                release_pages,
                answer,
            })
        })
        .await
    }

    /// Replaces the bodies of old events. When this returns `Ok`, it is on disk. Waits for room in the queue.
    pub(in crate::store) async fn thin(&self, step: ThinStep) -> Result<Thinned, Unavailable> {
        self.request(|answer| Command::Thin(Thin { step, answer }))
            .await
    }

    /// Replaces stored bodies by their frames. When this returns `Ok`, they are replaced on disk. Waits for room in the
    /// queue.
    pub(in crate::store) async fn compress(
        &self,
        step: CompressStep,
    ) -> Result<Compressed, Unavailable> {
        self.request(|answer| Command::Compress(Compress { step, answer }))
            .await
    }

    /// Saves a change of the pass that parses all events again. When this returns `Ok`, it is on disk. Waits for room
    /// in the queue.
    pub(in crate::store) async fn reprocess(
        &self,
        change: ReprocessChange,
    ) -> Result<(), Unavailable> {
        self.request(|answer| Command::Reprocess(Reprocess { change, answer }))
            .await
    }

    /// The same writer, but notifications go into another queue: several nodes share them.
    pub(in crate::store) fn sharing(self, shared: mpsc::Sender<Append>) -> Self {
        Self {
            shared: Some(shared),
            ..self
        }
    }

    /// Writes events that are copied from PostgreSQL. Waits for room in the queue.
    pub(in crate::store) async fn copy(&self, copied: Copied) -> Result<(), Unavailable> {
        self.request(|answer| Command::Copy(Copy { copied, answer }))
            .await
    }

    /// Makes the thread notice a changed budget. If the queue is full, it notices at the end of its batch.
    pub(in crate::store) fn wake(&self) {
        let _ = self.queue.try_send(Command::Wake);
    }

    /// Sends the command that answers on the given channel, and waits for the answer.
    async fn request<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, Unavailable>>) -> Command,
    ) -> Result<T, Unavailable> {
        let (answer, answered) = oneshot::channel();
        self.queue
            .send(command(answer))
            .await
            .map_err(|_| Unavailable::Stopped)?;
        answered.await.unwrap_or(Err(Unavailable::Stopped))
    }

    /// Decides whether bodies are compressed.
    pub(in crate::store) fn compression(&self) -> &Compression {
        &self.compression
    }

    /// Decides whether notifications are stored.
    pub(in crate::store) fn admission(&self) -> &Admission {
        &self.admission
    }
}

/// Sends without waiting for room.
fn send<T>(queue: &mpsc::Sender<T>, message: T) -> Result<(), Unavailable> {
    queue.try_send(message).map_err(|error| match error {
        mpsc::error::TrySendError::Full(_) => Unavailable::Full,
        mpsc::error::TrySendError::Closed(_) => Unavailable::Stopped,
    })
}
