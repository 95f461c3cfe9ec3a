//! The storage that the configuration names: a database of this program alone, or this node's copy of a PostgreSQL that
//! several nodes share.

use super::StartError;
use crate::config::Config;
use crate::store::{
    self, AlertStore, DeadLetters, Duties, ForwardStore, Node, OpenError, Reader, SharedAt, Space,
    Store,
};

/// The opened storage. What several nodes share is in PostgreSQL; alone, it is in the database.
pub(super) struct Storage {
    pub(super) store: Store,
    /// Set if several nodes share their events.
    pub(super) node: Option<Box<Node>>,
}

impl Storage {
    pub(super) async fn open(config: &Config, is_first: bool) -> Result<Self, StartError> {
        let storage = &config.storage;
        let max_waiting = config.ingest.max_waiting as usize;
        let Some(shared) = storage.shared()? else {
            let store = store::open(&storage.path, max_waiting, storage.max_bytes).await?;
            return Ok(Self { store, node: None });
        };
        let authorities = shared.authorities.as_deref();
        let at = SharedAt::new(&shared.connection, authorities, shared.require_standby)?;
        let (path, name) = (&storage.path, storage.node_name());
        let opened = store::open_shared(path, max_waiting, storage.max_bytes, at, &name, is_first);
        // The caller's futures keep it.
        let (store, node) = Box::pin(opened).await?;
        Ok(Self {
            store,
            node: Some(Box::new(node)),
        })
    }

    /// What one node does at a time.
    pub(super) fn duties(&self) -> Duties {
        self.node.as_deref().map(Node::duties).unwrap_or_default()
    }

    /// The space that the events take.
    pub(super) fn space(&self) -> Result<Space, OpenError> {
        let space = self.store.space()?;
        Ok(match &self.node {
            Some(node) => node.space(space),
            None => space,
        })
    }

    /// The state of the alerts.
    pub(super) fn alert_store(&self, reader: &Reader) -> AlertStore {
        let (reader, writer) = (reader.clone(), self.store.writer.clone());
        match &self.node {
            Some(node) => node.alert_store(reader, writer),
            None => AlertStore::new(reader, writer),
        }
    }

    /// The state of the forward destinations.
    pub(super) fn forward_store(&self, reader: &Reader) -> ForwardStore {
        let (reader, writer) = (reader.clone(), self.store.writer.clone());
        match &self.node {
            Some(node) => node.forward_store(reader, writer),
            None => ForwardStore::new(reader, writer),
        }
    }

    /// The dead letters of the forward destinations.
    pub(super) fn dead_letters(&self, reader: &Reader) -> DeadLetters {
        match &self.node {
            Some(node) => node.dead_letters(reader.clone()),
            None => DeadLetters::new(reader.clone()),
        }
    }
}
