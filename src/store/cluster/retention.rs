//! Retention of several nodes: the holder of the lease deletes the oldest events from PostgreSQL, and each node then
//! deletes them from its copy.

use super::error::SharedError;
use super::link::Link;
use super::status::NodeStatus;

const PRUNE: &str = "SELECT prune_events($1, $2, $3)";

/// Deletes from PostgreSQL, and knows how far others have. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::store) struct SharedRetention {
    pub(in crate::store) link: Link,
    /// This node, as the leases name it.
    pub(in crate::store) holder: String,
    pub(in crate::store) status: NodeStatus,
}

impl SharedRetention {
    /// Every event up to this seq is deleted from PostgreSQL, as far as the copier has seen.
    pub(in crate::store) fn deleted(&self) -> i64 {
        self.status.deleted()
    }

    /// Deletes the events up to the seq `through` in the term `term`. Whether they are deleted: they are not if another
    /// node has the lease.
    pub(in crate::store) async fn prune(
        &self,
        term: i64,
        through: i64,
    ) -> Result<bool, SharedError> {
        let rows = self
            .link
            .write(PRUNE, &[&self.holder, &term, &through])
            .await?;
        let is_done = rows.first().map(|row| row.try_get(0)).transpose()?;
        Ok(is_done.unwrap_or(false))
    }
}
