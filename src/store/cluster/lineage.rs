//! The epoch of the seqs in PostgreSQL. It is renewed when they may have been assigned again: after the promotion of a
//! standby, which may lack events that were visible, and after a restored backup. Both change the lineage.

use std::collections::BTreeMap;

use super::error::SharedError;
use super::session::Session;
use crate::store::epoch;

const CURRENT: &str = "
    SELECT (SELECT system_identifier FROM pg_control_system())::text || '/'
           || left(pg_walfile_name(pg_current_wal_lsn()), 8)";

const READ: &str = "SELECT name, epoch, lineage FROM cluster";

/// Notes how far the events of the epoch that ends are those of the next one, and of the epochs before. The row is locked,
/// so that one node does it.
const END_EPOCH: &str = "
    WITH ended AS MATERIALIZED (
        SELECT c.epoch, h.last FROM cluster c, feed_head h WHERE c.lineage <> '' AND c.lineage <> $1 FOR UPDATE OF c
    ), earlier AS (
        UPDATE past_epoch SET last = least(past_epoch.last, ended.last) FROM ended
    )
    INSERT INTO past_epoch (epoch, last) SELECT epoch, last FROM ended";

/// The first lineage keeps the epoch that was made with the schema. The commit does not wait for a standby: if it is
/// lost, the next promotion renews the epoch again.
const CLAIM: &str = "
    UPDATE cluster SET epoch = CASE WHEN lineage = '' THEN epoch ELSE $2 END, lineage = $1 WHERE lineage <> $1";

const PAST: &str = "SELECT epoch, last FROM past_epoch";

/// What the events in PostgreSQL belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Identity {
    /// The name that was made with the schema.
    pub(in crate::store) cluster: String,
    /// The epoch.
    pub(in crate::store) epoch: String,
}

/// Reads the identity, and renews the epoch if the lineage has changed.
pub(in crate::store) async fn identify(session: &mut Session) -> Result<Identity, SharedError> {
    let row = session
        .within(session.client.query_one(CURRENT, &[]))
        .await?;
    let current: String = row.try_get(0)?;
    loop {
        let row = session.within(session.client.query_one(READ, &[])).await?;
        if row.try_get::<_, String>(2)? == current {
            return Ok(Identity {
                cluster: row.try_get(0)?,
                epoch: row.try_get(1)?,
            });
        }
        let epoch = epoch::random().map_err(|error| SharedError::Failed(error.to_string()))?;
        let transaction = session.client.transaction().await?;
        transaction
            .batch_execute("SET LOCAL synchronous_commit = local")
            .await?;
        transaction.execute(END_EPOCH, &[&current]).await?;
        transaction.execute(CLAIM, &[&current, &epoch]).await?;
        transaction.commit().await?;
    }
}

/// Checks that PostgreSQL has the events of this identity.
///
/// # Errors
///
/// It has others (`Rewound`), or it cannot be read.
pub(in crate::store) async fn confirm(
    session: &mut Session,
    identity: &Identity,
) -> Result<(), SharedError> {
    if identify(session).await? == *identity {
        Ok(())
    } else {
        Err(SharedError::Rewound)
    }
}

/// Reads the earlier epochs, and the last seq up to which each has the events of the current one.
pub(in crate::store) async fn past_epochs(
    session: &Session,
) -> Result<BTreeMap<String, i64>, SharedError> {
    let rows = session.within(session.client.query(PAST, &[])).await?;
    let past = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    past.collect()
}
