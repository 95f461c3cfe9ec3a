//! The durable state of the alerts.

use super::cluster::told::{SharedTold, ToldByNodes};
use super::duty::Term;
use super::error::{ReadError, Unavailable};
use super::query::alerts::SavedAlerts;
use super::query::reader::Reader;
use super::write::alerts::AlertChange;
use super::write::change::Change;
use super::write::queue::Writer;
use crate::clock::UnixMillis;
use crate::model::{Attention, Told};

/// Loads and saves the state of the alerts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AlertStore {
    reader: Reader,
    writer: Writer,
    /// Set if there are several nodes.
    shared: Option<SharedTold>,
}

impl AlertStore {
    /// The state in the database of `reader` and `writer`.
    #[must_use]
    pub fn new(reader: Reader, writer: Writer) -> Self {
        Self {
            reader,
            writer,
            shared: None,
        }
    }

    /// The same store for several nodes, which share what the destinations were told.
    #[must_use]
    pub(in crate::store) fn sharing(self, shared: SharedTold) -> Self {
        Self {
            shared: Some(shared),
            ..self
        }
    }

    /// What any node has told a destination about the events.
    ///
    /// # Errors
    ///
    /// PostgreSQL cannot be reached.
    pub async fn told_by_nodes(&self, destination: &str) -> Result<ToldByNodes, ReadError> {
        match &self.shared {
            Some(shared) => Ok(shared.load(destination).await?),
            None => Ok(ToldByNodes::default()),
        }
    }

    /// Saves what this node has told a destination about the events, for the other nodes.
    ///
    /// # Errors
    ///
    /// PostgreSQL cannot be reached, or another node has the lease.
    pub async fn share_told(
        &self,
        term: &Term,
        destination: &str,
        told: &[Told],
        (heartbeat_at, now): (Option<UnixMillis>, UnixMillis),
    ) -> Result<(), Unavailable> {
        let Some(shared) = &self.shared else {
            return Ok(());
        };
        let saved = shared.save(term.number(), destination, told, heartbeat_at, now);
        match saved.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Unavailable::Failed),
            Err(_) => Err(Unavailable::Away),
        }
    }

    /// Loads all of it.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn load(&self) -> Result<SavedAlerts, ReadError> {
        self.reader.saved_alerts().await
    }

    /// At most `limit` events after the seq `after` that an operator should hear about and that the alerts have
    /// not read.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn attention(&self, after: i64, limit: u32) -> Result<Vec<Attention>, ReadError> {
        self.reader.attention(after, limit).await
    }

    /// Saves a change. When this returns `Ok`, it is on disk.
    ///
    /// # Errors
    ///
    /// The writer has stopped, or the commit failed.
    pub async fn save(&self, change: AlertChange) -> Result<(), Unavailable> {
        self.writer.save(Change::Alerts(change)).await
    }
}
