//! The standbys of PostgreSQL, as it reports them.

use super::error::SharedError;
use super::session::Session;

/// Other users than superusers and members of `pg_read_all_stats` see that there is a standby, but not its state.
const READ: &str = "
    SELECT count(*) FILTER (WHERE coalesce(state, 'streaming') = 'streaming'),
           current_setting('synchronous_standby_names') <> '',
           max(CASE WHEN state = 'streaming' THEN coalesce(extract(epoch FROM flush_lag), 0) END)::float8
    FROM pg_stat_replication";

/// The standbys of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standbys {
    /// How many are connected.
    pub count: i64,
    /// Whether PostgreSQL is set to wait for one.
    pub is_named: bool,
    /// Seconds until the slowest of them had the newest commits on its disk; `None` if there is none, or if the user of
    /// the URL may not see it.
    pub lag: Option<f64>,
}

pub(super) async fn read(session: &Session) -> Result<Standbys, SharedError> {
    let row = session.within(session.client.query_one(READ, &[])).await?;
    Ok(Standbys {
        count: row.try_get(0)?,
        is_named: row.try_get(1)?,
        lag: row.try_get(2)?,
    })
}
