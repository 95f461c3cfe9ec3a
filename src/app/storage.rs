//! Opens the storage that the configuration names: a database of this program alone, or this node's copy of a PostgreSQL
//! that several nodes share.

use super::StartError;
use crate::config::Config;
use crate::store::{self, Node, SharedAt, Store};

pub(super) async fn open(
    config: &Config,
    is_first: bool,
) -> Result<(Store, Option<Box<Node>>), StartError> {
    let storage = &config.storage;
    let max_waiting = config.ingest.max_waiting as usize;
    let Some(shared) = storage.shared()? else {
        let store = store::open(&storage.path, max_waiting, storage.max_bytes).await?;
        return Ok((store, None));
    };
    let authorities = shared.authorities.as_deref();
    let at = SharedAt::new(&shared.connection, authorities, shared.require_standby)?;
    let (path, name) = (&storage.path, storage.node_name());
    let opened = store::open_shared(path, max_waiting, storage.max_bytes, at, &name, is_first);
    // The caller's futures keep it.
    let (store, node) = Box::pin(opened).await?;
    Ok((store, Some(Box::new(node))))
}
