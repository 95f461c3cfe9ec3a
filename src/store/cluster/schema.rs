//! The schema in PostgreSQL: migrations in `migrations/postgres/`, each applied once, whichever node starts first.

use tokio_postgres::error::SqlState;
use tracing::info;

use super::error::SharedError;
use super::session::Session;

/// The migrations in order; their versions count from 1. An applied one is never edited.
const MIGRATIONS: [&str; 4] = [
    include_str!("../../../migrations/postgres/0001_events.sql"),
    include_str!("../../../migrations/postgres/0002_leases.sql"),
    include_str!("../../../migrations/postgres/0003_past_epochs.sql"),
    include_str!("../../../migrations/postgres/0004_append_new.sql"),
];

/// The number is arbitrary: "GINB" twice, as a lock that no other program takes.
const LOCK: &str = "SELECT pg_advisory_lock(5136152461110693442)";

const UNLOCK: &str = "SELECT pg_advisory_unlock(5136152461110693442)";

const HAS_TABLE: &str = "SELECT to_regclass('schema_version') IS NOT NULL";

const CREATE_TABLE: &str = "CREATE TABLE schema_version (version bigint PRIMARY KEY)";

const APPLIED: &str = "SELECT coalesce(max(version), 0) FROM schema_version";

const APPLY: &str = "INSERT INTO schema_version VALUES ($1)";

/// Brings the schema up to date, in one transaction. A session that fails is dropped, and its lock with it.
pub(super) async fn migrate(session: &mut Session) -> Result<(), SharedError> {
    let newest = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let applied = migrate_from_applied(session, newest).await;
    let applied = applied.map_err(|failure| {
        let refusal = failure.as_db_error();
        match refusal {
            Some(refusal) if *refusal.code() == SqlState::INSUFFICIENT_PRIVILEGE => {
                SharedError::NotOwner(refusal.message().to_owned())
            }
            _ => SharedError::from(failure),
        }
    })?;
    if applied > newest {
        return Err(SharedError::Newer(applied));
    }
    Ok(())
}

/// Whether PostgreSQL has the schema, of this version or an older one.
pub(in crate::store) async fn is_usable(session: &Session) -> Result<bool, SharedError> {
    let client = &session.client;
    let has_table = session.within(client.query_one(HAS_TABLE, &[])).await?;
    if !has_table.try_get::<_, bool>(0)? {
        return Ok(false);
    }
    let applied: i64 = client.query_one(APPLIED, &[]).await?.try_get(0)?;
    match i64::try_from(MIGRATIONS.len()) {
        Ok(newest) if applied > newest => Err(SharedError::Newer(applied)),
        _ => Ok(applied > 0),
    }
}

/// Returns the version that was applied before.
async fn migrate_from_applied(
    session: &mut Session,
    newest: i64,
) -> Result<i64, tokio_postgres::Error> {
    let has_table: bool = session.client.query_one(HAS_TABLE, &[]).await?.try_get(0)?;
    if has_table {
        // Nodes that start later only look.
        let applied: i64 = session.client.query_one(APPLIED, &[]).await?.try_get(0)?;
        if applied >= newest {
            return Ok(applied);
        }
    }
    // Before the transaction, which then sees what another node has done.
    session.client.execute(LOCK, &[]).await?;
    let transaction = session.client.transaction().await?;
    let has_table: bool = transaction.query_one(HAS_TABLE, &[]).await?.try_get(0)?;
    if !has_table {
        transaction.execute(CREATE_TABLE, &[]).await?;
    }
    let applied: i64 = transaction.query_one(APPLIED, &[]).await?.try_get(0)?;
    for (version, sql) in (1_i64..).zip(MIGRATIONS) {
        if version > applied {
            transaction.batch_execute(sql).await?;
            transaction.execute(APPLY, &[&version]).await?;
            info!("PostgreSQL: the schema has version {version} now");
        }
    }
    transaction.commit().await?;
    session.client.execute(UNLOCK, &[]).await?;
    Ok(applied)
}
