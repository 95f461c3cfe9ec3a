//! Holds the leases of this node: a row for each duty, renewed by one statement for all of them. Another node takes a
//! row over after its expiry.
//!
//! Expiry is decided by PostgreSQL's clock, and the end of a term by this node's own: the node counts from before it asked
//! and stops earlier, so that the two never overlap whatever the clocks show.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::error::SharedError;
use super::lineage::{Identity, confirm};
use super::logged::Logged;
use super::session::{Session, SharedAt};
use super::status::NodeStatus;
use crate::store::duty::{Duty, Lease};

/// Seconds after which another node may take a lease that is not renewed.
const SECONDS: i32 = 10;

/// Time after which a node stops what it does, unless it has renewed the lease.
const TERM: Duration = Duration::from_secs(7);

/// Time between two renewals.
const INTERVAL: Duration = Duration::from_secs(2);

/// Pause after a failure.
const PAUSE: Duration = Duration::from_millis(500);

/// Time to give the leases up.
const RELEASE_TIMEOUT: Duration = Duration::from_millis(500);

/// Time to connect.
const OPEN_TIMEOUT: Duration = Duration::from_secs(20);

/// Events by which the copy may be behind for the node to take a lease. It keeps a lease however far it is behind.
const MAX_LAG: i64 = 10_000;

const TAKE: &str = "SELECT name, is_mine, term, node FROM take_leases($1, $2, $3, $4, $5)";

const RELEASE: &str = "UPDATE lease SET expires_at = '-infinity' WHERE holder = $1";

/// Who this node is.
#[derive(Debug, Clone)]
pub(in crate::store) struct Holder {
    /// Random, for each start.
    pub(in crate::store) id: String,
    /// The name of the node, for people.
    pub(in crate::store) node: String,
}

/// The leases by the names of their duties.
type Known = BTreeMap<String, watch::Sender<Lease>>;

/// The duties of this node by their names. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Duties(Option<Arc<Mutex<Known>>>);

impl Duties {
    pub(in crate::store) fn shared() -> Self {
        Self(Some(Arc::default()))
    }

    /// The duty with this name. A node that is alone has every duty.
    #[must_use]
    pub fn duty(&self, name: &str) -> Duty {
        let Some(mut known) = self.known() else {
            return Duty::alone();
        };
        let sender = known.entry(name.to_owned()).or_default();
        Duty::shared(sender.subscribe())
    }

    /// The duty of calling GREEN-API for an account.
    #[must_use]
    pub fn account(&self, id_instance: i64) -> Duty {
        self.duty(&format!("account:{id_instance}"))
    }

    /// The names of the duties, and whether this node has each. Empty if the node is alone.
    #[must_use]
    pub fn held(&self) -> Vec<(String, bool)> {
        let Some(known) = self.known() else {
            return Vec::new();
        };
        let held = |sender: &watch::Sender<Lease>| Duty::shared(sender.subscribe()).is_held();
        let all = known.iter();
        all.map(|(name, sender)| (name.clone(), held(sender)))
            .collect()
    }

    fn known(&self) -> Option<MutexGuard<'_, Known>> {
        let known = self.0.as_ref()?.lock();
        Some(known.unwrap_or_else(PoisonError::into_inner))
    }

    fn names(&self) -> Vec<String> {
        let known = self.known();
        known.map_or_else(Vec::new, |known| known.keys().cloned().collect())
    }

    /// Notes what PostgreSQL has said about a lease.
    fn set(&self, name: &str, lease: Lease) {
        let Some(known) = self.known() else { return };
        let Some(sender) = known.get(name) else {
            return;
        };
        let number = |lease: &Lease| lease.term.map(|(number, _)| number);
        match (number(&sender.borrow()), number(&lease)) {
            (before, Some(now)) if before != Some(now) => {
                info!("this node does `{name}` now, in term {now}");
            }
            (Some(_), None) => {
                let node = lease.node.as_deref().unwrap_or_default();
                warn!("this node does not do `{name}` any more: the node `{node}` has its lease");
            }
            _ => {}
        }
        sender.send_replace(lease);
    }

    /// Every lease is given up.
    fn clear(&self) {
        for sender in self.known().iter().flat_map(|known| known.values()) {
            sender.send_replace(Lease::default());
        }
    }
}

/// The task that holds the leases.
#[derive(Debug)]
pub(in crate::store) struct Keeper {
    pub(in crate::store) at: SharedAt,
    /// What the node's copy belongs to.
    pub(in crate::store) identity: Identity,
    pub(in crate::store) holder: Holder,
    pub(in crate::store) duties: Duties,
    pub(in crate::store) status: NodeStatus,
    /// Cancelled if PostgreSQL has other events than the copy.
    pub(in crate::store) rewound: CancellationToken,
}

impl Keeper {
    /// Runs until `stop` is cancelled, then gives the leases up: what they stand for must have ended.
    pub(in crate::store) async fn run(self, stop: CancellationToken) {
        let mut logged = Logged::default();
        let mut session = None;
        loop {
            let held = stop.run_until_cancelled(self.hold(&mut session));
            let Some(Err(failure)) = held.await else {
                break;
            };
            session = None;
            if matches!(failure, SharedError::Rewound) {
                self.rewound.cancel();
            }
            if logged.is_new(&failure) {
                warn!(%failure, "the leases of this node cannot be renewed: {failure}; other nodes take them over");
            }
            if stop.run_until_cancelled(sleep(PAUSE)).await.is_none() {
                break;
            }
        }
        self.duties.clear();
        if let Some(session) = session {
            // Otherwise the others wait for the expiry. A PostgreSQL that hangs must not hold up the end.
            let released = async { session.client.execute(RELEASE, &[&self.holder.id]).await };
            let _ = timeout(RELEASE_TIMEOUT, released).await;
        }
    }

    /// Renews the leases until that fails.
    async fn hold(
        &self,
        open: &mut Option<Session>,
    ) -> Result<std::convert::Infallible, SharedError> {
        let opened = timeout(OPEN_TIMEOUT, self.open()).await;
        let session = opened.unwrap_or(Err(SharedError::Timeout(OPEN_TIMEOUT.as_secs())))?;
        let session = open.insert(session);
        let take = session.within(session.client.prepare(TAKE)).await?;
        loop {
            // A node that cannot copy or append leaves its duties to the others.
            if self.status.is_connected() {
                let may_take = self.status.lag() <= MAX_LAG;
                let (id, node) = (&self.holder.id, &self.holder.node);
                let names = self.duties.names();
                let until = Instant::now() + TERM;
                let rows = session
                    .commit(
                        session
                            .client
                            .query(&take, &[&names, id, node, &SECONDS, &may_take]),
                    )
                    .await?;
                for row in &rows {
                    let (name, is_mine): (String, bool) = (row.try_get(0)?, row.try_get(1)?);
                    let term: i64 = row.try_get(2)?;
                    let node: String = row.try_get(3)?;
                    let lease = Lease {
                        term: is_mine.then_some((term, until)),
                        node: Some(node.into()),
                    };
                    self.duties.set(&name, lease);
                }
            }
            sleep(INTERVAL).await;
        }
    }

    async fn open(&self) -> Result<Session, SharedError> {
        let mut session = self.at.open().await?;
        confirm(&mut session, &self.identity).await?;
        Ok(session)
    }
}
