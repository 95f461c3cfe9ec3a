//! The durable state of the forward destinations.

use super::cluster::error::SharedError;
use super::cluster::forwards::{ForwardCounts, SharedForwards};
use super::duty::Term;
use super::error::{ReadError, Unavailable};
use super::query::forward::{SavedForward, WaitingEvent};
use super::query::reader::Reader;
use super::write::change::Change;
use super::write::forward::{ForwardChange, offset_name};
use super::write::queue::Writer;
use crate::clock::UnixMillis;

/// Loads and saves the state of the destinations: in this database, or in the PostgreSQL of several nodes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ForwardStore {
    reader: Reader,
    writer: Writer,
    /// Where the state is if there are several nodes.
    shared: Option<SharedForwards>,
    /// The term in which this node may change it.
    term: Option<i64>,
}

impl ForwardStore {
    /// The state in the database of `reader` and `writer`.
    #[must_use]
    pub fn new(reader: Reader, writer: Writer) -> Self {
        Self {
            reader,
            writer,
            shared: None,
            term: None,
        }
    }

    /// The same store for several nodes, which share the state.
    #[must_use]
    pub(in crate::store) fn sharing(self, shared: SharedForwards) -> Self {
        Self {
            shared: Some(shared),
            ..self
        }
    }

    /// The same store, for changes in this term.
    #[must_use]
    pub fn in_term(&self, term: &Term) -> Self {
        Self {
            term: Some(term.number()),
            ..self.clone()
        }
    }

    /// Whether other nodes share the state.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// Saves where a new destination begins if other nodes share it: after the seq `after`, or at the newest event of any
    /// node. One that is known keeps its position.
    ///
    /// # Errors
    ///
    /// PostgreSQL cannot be reached.
    pub async fn begin_shared(
        &self,
        destination: &str,
        after: Option<i64>,
    ) -> Result<(), ReadError> {
        match &self.shared {
            Some(shared) => Ok(shared.begin(destination, after).await?),
            None => Ok(()),
        }
    }

    /// Waits until this node has every event that another one may have left to it.
    ///
    /// # Errors
    ///
    /// PostgreSQL cannot be reached.
    pub async fn copied(&self) -> Result<(), ReadError> {
        match &self.shared {
            Some(shared) => Ok(shared.copied().await?),
            None => Ok(()),
        }
    }

    /// What another node has left of a destination. `None` if the state is not shared.
    ///
    /// # Errors
    ///
    /// PostgreSQL cannot be reached.
    pub async fn shared_counts(
        &self,
        destination: &str,
    ) -> Result<Option<ForwardCounts>, ReadError> {
        match &self.shared {
            Some(shared) => Ok(Some(shared.counts(destination).await?)),
            None => Ok(None),
        }
    }

    /// How far the destination has read. `None` if it is new.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn position(&self, destination: &str) -> Result<Option<i64>, ReadError> {
        match &self.shared {
            Some(shared) => Ok(shared.position(destination).await?),
            None => self.reader.saved_offset(&offset_name(destination)).await,
        }
    }

    /// Loads the state of a destination that has read up to the seq `after`, with at most `max_lanes` lanes.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn load(
        &self,
        destination: &str,
        after: i64,
        max_lanes: u32,
    ) -> Result<SavedForward, ReadError> {
        if let Some(shared) = &self.shared {
            return Ok(shared.load(destination, after, max_lanes).await?);
        }
        self.reader
            .saved_forward(destination, after, max_lanes)
            .await
    }

    /// At most `limit` events that are due at `now`, each the first of its lane. One that is due after `latest`
    /// counts too: the clock was set back.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn due(
        &self,
        destination: &str,
        (now, latest): (UnixMillis, UnixMillis),
        limit: u32,
    ) -> Result<Vec<WaitingEvent>, ReadError> {
        if let Some(shared) = &self.shared {
            return Ok(shared.due(destination, (now, latest), limit).await?);
        }
        self.reader
            .due_forward(destination, now, latest, limit)
            .await
    }

    /// At most `limit` events of a lane after the seq `after`.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn lane(
        &self,
        destination: &str,
        (lane, after): (i64, i64),
        limit: u32,
    ) -> Result<Vec<WaitingEvent>, ReadError> {
        if let Some(shared) = &self.shared {
            return Ok(shared.lane(destination, (lane, after), limit).await?);
        }
        self.reader
            .forward_lane(destination, lane, after, limit)
            .await
    }

    /// When the event that has waited longest in the table began to wait.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn oldest(&self, destination: &str) -> Result<Option<UnixMillis>, ReadError> {
        match &self.shared {
            Some(shared) => Ok(shared.oldest(destination).await?),
            None => self.reader.oldest_forward(destination).await,
        }
    }

    /// Saves a change. When this returns `Ok`, it is on disk.
    ///
    /// # Errors
    ///
    /// The writer has stopped, the commit failed, or another node has the lease.
    pub async fn save(&self, change: ForwardChange) -> Result<(), Unavailable> {
        if let Some(shared) = &self.shared {
            // Without a term there is nothing to save: the holder has the state.
            let term = self.term.ok_or(Unavailable::Failed)?;
            let shared = shared.clone();
            // On a task of its own: the caller reads on the same connection before it waits for the end of the save.
            let saving = tokio::spawn(async move { shared.save(term, &change).await });
            return match saving.await {
                Ok(Ok(true)) => Ok(()),
                Ok(Ok(false) | Err(SharedError::Failed(_))) | Err(_) => Err(Unavailable::Failed),
                Ok(Err(_)) => Err(Unavailable::Away),
            };
        }
        self.writer.save(Change::Forward(change)).await
    }
}
