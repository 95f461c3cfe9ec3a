//! A connection to PostgreSQL for the small state that nodes share, opened when it is first needed. Its statements run one
//! after the other, each within its time limit, and never on the connection that appends.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tokio_util::sync::CancellationToken;

use super::error::SharedError;
use super::lineage::{Identity, confirm};
use super::session::{Session, SharedAt};

/// Time to connect. The callers are waiting.
const OPEN_TIMEOUT: Duration = Duration::from_secs(7);

/// The connection. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::store) struct Link(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    at: SharedAt,
    /// What the node's copy belongs to.
    identity: Identity,
    /// Cancelled if PostgreSQL has other events than the copy.
    rewound: CancellationToken,
    session: Mutex<Option<Session>>,
}

impl Link {
    pub(in crate::store) fn new(
        at: SharedAt,
        identity: Identity,
        rewound: CancellationToken,
    ) -> Self {
        Self(Arc::new(Parts {
            at,
            identity,
            rewound,
            session: Mutex::new(None),
        }))
    }

    /// Runs a statement that reads.
    pub(super) async fn read(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, SharedError> {
        self.run(sql, values, false).await
    }

    /// Runs a statement that writes. When this returns `Ok`, its commit is durable, and on the standby if there is one.
    pub(super) async fn write(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, SharedError> {
        self.run(sql, values, true).await
    }

    async fn run(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
        is_write: bool,
    ) -> Result<Vec<Row>, SharedError> {
        let mut guard = self.0.session.lock().await;
        // Put back only after a statement that ended: one that was dropped or failed leaves the connection in doubt.
        let session = match guard.take().filter(|open| !open.client.is_closed()) {
            Some(open) => open,
            None => self.open().await?,
        };
        let statement = session.client.query(sql, values);
        let done = if is_write {
            session.commit(statement).await
        } else {
            session.within(statement).await
        };
        if done.is_ok() {
            *guard = Some(session);
        }
        done
    }

    async fn open(&self) -> Result<Session, SharedError> {
        let Parts {
            at,
            identity,
            rewound,
            ..
        } = &*self.0;
        let opening = async {
            let mut session = at.open().await?;
            confirm(&mut session, identity).await?;
            Ok(session)
        };
        let opened = timeout(OPEN_TIMEOUT, opening).await;
        let opened = opened.unwrap_or(Err(SharedError::Timeout(OPEN_TIMEOUT.as_secs())));
        if matches!(opened, Err(SharedError::Rewound)) {
            rewound.cancel();
        }
        opened
    }
}
