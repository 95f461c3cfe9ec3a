//! Reads a page of accounts, ordered by `idInstance`.

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::intact::DamageReports;
use super::page::{Page, Position};
use super::plan::Conditions;
use super::reader::{Files, Reader};
use crate::clock::UnixMillis;
use crate::model::{Instance, NewestEvent, Quota, Socket, State};
use crate::store::compressed::body_size;
use crate::store::error::ReadError;

/// Selects the columns of an account. The current state lasts since its first occurrence after the
/// last different state.
const COLUMNS: &str = "
    SELECT instance.id_instance AS id_instance, instance.type_instance AS type_instance,
           instance.newest AS seq, instance.received_at AS received_at,
           instance.type_webhook AS type_webhook, instance.timestamp AS timestamp,
           state.name AS state, state.seq AS state_seq,
           (SELECT min(run.timestamp) FROM projection.state AS run
            WHERE run.id_instance = state.id_instance
              AND (run.timestamp, run.seq) > (
                  coalesce((SELECT other.timestamp FROM projection.state AS other
                      WHERE other.id_instance = state.id_instance AND other.name <> state.name
                      ORDER BY other.timestamp DESC, other.seq DESC LIMIT 1), -9223372036854775808),
                  coalesce((SELECT other.seq FROM projection.state AS other
                      WHERE other.id_instance = state.id_instance AND other.name <> state.name
                      ORDER BY other.timestamp DESC, other.seq DESC LIMIT 1), 0))
           ) AS state_since,
           socket.seq AS socket_seq, socket.digest AS socket_digest, socket.body AS socket,
           socket.size AS socket_size,
           quota.seq AS quota_seq, quota.digest AS quota_digest, quota.body AS quota,
           quota.size AS quota_size
    FROM projection.instance
    LEFT JOIN projection.state ON state.id_instance = instance.id_instance
        AND (state.timestamp, state.seq) = (
            SELECT last.timestamp, last.seq FROM projection.state AS last
            WHERE last.id_instance = instance.id_instance
            ORDER BY last.timestamp DESC, last.seq DESC LIMIT 1)
    LEFT JOIN event AS socket ON socket.seq = instance.socket_seq
    LEFT JOIN event AS quota ON quota.seq = instance.quota_seq";

/// Selects the sizes of the bodies that an account needs in addition to its columns.
const SIZES: &str = concat!(
    "SELECT instance.id_instance, coalesce(",
    body_size!("socket"),
    ", 0) + coalesce(",
    body_size!("quota"),
    ", 0)
    FROM projection.instance
    LEFT JOIN event AS socket ON socket.seq = instance.socket_seq
    LEFT JOIN event AS quota ON quota.seq = instance.quota_seq"
);

/// Bytes of bodies in a page, which ends before it exceeds them. A page has at least one account,
/// whatever its size.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Number of copies of each of those bytes in memory: in SQLite and in the row.
const COPIES: usize = 2;

/// A query for a page of accounts.
#[derive(Debug, Clone)]
pub struct InstanceQuery {
    /// Only this `idInstance`.
    pub instance: Option<i64>,
    /// Only accounts with this `typeInstance`.
    pub type_instance: Option<String>,
    /// The position where the page starts: after this `idInstance`.
    pub position: Position,
    /// Maximum number of accounts.
    pub limit: u32,
}

impl Reader {
    /// Reads a page of accounts.
    pub async fn instances(&self, query: &InstanceQuery) -> Result<Page<Instance>, ReadError> {
        let read = self.list_instances(query).await;
        self.check_derived(read)
    }

    async fn list_instances(&self, query: &InstanceQuery) -> Result<Page<Instance>, ReadError> {
        let choice = self
            .choose(Files::Both, &mut list(query), query.limit, PAGE_BYTES)
            .await?;
        if choice.keys.is_empty() {
            return Ok(Page::empty());
        }
        let memory = self.memory.reserve(choice.cost(COPIES)).await?;
        let mut sql = chosen();
        sql.push_bind(choice.json()).push("))");
        let mut lease = self.lease(Files::Both).await?;
        let mut rows = sql.build().fetch(&mut *lease);
        let mut instances = Vec::with_capacity(choice.keys.len());
        while let Some(row) = rows.try_next().await? {
            instances.push(instance(&row, &self.damage)?);
        }
        instances.sort_unstable_by_key(|instance| instance.id_instance);
        Ok(Page {
            entries: instances,
            next: choice.next(),
            memory,
        })
    }
}

/// Builds the query for the accounts in a JSON array of `idInstance`s, which the caller binds next.
pub(super) fn chosen() -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(COLUMNS);
    sql.push(" WHERE instance.id_instance IN (SELECT value FROM json_each(");
    sql
}

/// Builds the query that selects a page: the `idInstance` and the size of each account.
pub(super) fn list(query: &InstanceQuery) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(SIZES);
    let mut conditions = Conditions::new();
    if let Some(instance) = query.instance {
        conditions
            .add(&mut sql, "instance.id_instance = ")
            .push_bind(instance);
    }
    if let Position::After(id) = query.position {
        conditions
            .add(&mut sql, "instance.id_instance > ")
            .push_bind(id);
    }
    if let Some(type_instance) = &query.type_instance {
        conditions
            .add(&mut sql, "instance.type_instance = ")
            .push_bind(type_instance.clone());
    }
    sql.push(" ORDER BY instance.id_instance LIMIT ")
        .push_bind(i64::from(query.limit) + 1);
    sql
}

/// Builds an account from its row. What a damaged event reported is left out.
fn instance(row: &SqliteRow, damage: &DamageReports) -> Result<Instance, sqlx::Error> {
    let event_of = |columns: (&str, &str, &str, &str)| -> Result<_, sqlx::Error> {
        let body = damage.checked(row, columns, &mut false)?;
        let seq: Option<i64> = row.try_get(columns.0)?;
        Ok(seq.zip(body))
    };
    let socket = event_of(("socket_seq", "socket_digest", "socket", "socket_size"))?;
    let quota = event_of(("quota_seq", "quota_digest", "quota", "quota_size"))?;
    let state: Option<String> = row.try_get("state")?;
    let state = state
        .map(|name| -> Result<State, sqlx::Error> {
            Ok(State {
                name,
                since: row.try_get("state_since")?,
                seq: row.try_get("state_seq")?,
            })
        })
        .transpose()?;
    Ok(Instance {
        id_instance: row.try_get("id_instance")?,
        type_instance: row.try_get("type_instance")?,
        state,
        socket: socket.and_then(|(seq, body)| Socket::of(seq, &body)),
        quota: quota.and_then(|(seq, body)| Quota::of(seq, &body)),
        newest: NewestEvent {
            seq: row.try_get("seq")?,
            received_at: UnixMillis(row.try_get("received_at")?),
            type_webhook: row.try_get("type_webhook")?,
            timestamp: row.try_get("timestamp")?,
        },
    })
}
