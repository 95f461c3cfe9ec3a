//! Reads accounts, in the order of their numbers.

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::events::Position;
use super::page::Page;
use super::plan::Conditions;
use super::reader::{Files, Reader};
use crate::clock::UnixMillis;
use crate::model::{Instance, NewestEvent, Quota, Socket, State};
use crate::store::error::ReadError;

/// The state that stands, and since when: behind the last other state its first moment.
const COLUMNS: &str = "
    SELECT instance.id_instance AS id_instance, instance.type_instance AS type_instance,
           newest.seq AS seq, newest.received_at AS received_at,
           newest.type_webhook AS type_webhook, newest.timestamp AS timestamp,
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
           socket.seq AS socket_seq, socket.body AS socket,
           quota.seq AS quota_seq, quota.body AS quota
    FROM projection.instance
    CROSS JOIN event AS newest ON newest.seq = instance.newest
    LEFT JOIN projection.state ON state.id_instance = instance.id_instance
        AND (state.timestamp, state.seq) = (
            SELECT last.timestamp, last.seq FROM projection.state AS last
            WHERE last.id_instance = instance.id_instance
            ORDER BY last.timestamp DESC, last.seq DESC LIMIT 1)
    LEFT JOIN event AS socket ON socket.seq = instance.socket_seq
    LEFT JOIN event AS quota ON quota.seq = instance.quota_seq";

/// The bodies that an account is made of, beside what is in its columns.
const SIZES: &str = "
    SELECT instance.id_instance,
           coalesce(length(socket.body), 0) + coalesce(length(quota.body), 0)
    FROM projection.instance
    LEFT JOIN event AS socket ON socket.seq = instance.socket_seq
    LEFT JOIN event AS quota ON quota.seq = instance.quota_seq";

/// Bytes of the bodies that a page is made of, at most; one account is read whatever it has.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// How often each byte of those bodies is held: by SQLite and by the row.
const COPIES: usize = 2;

/// What to read.
#[derive(Debug, Clone)]
pub struct InstanceQuery {
    /// Only this `idInstance`.
    pub instance: Option<i64>,
    /// Only of this `typeInstance`.
    pub type_instance: Option<String>,
    /// From where on: behind this `idInstance`.
    pub position: Position,
    /// How many at most.
    pub limit: u32,
}

impl Reader {
    /// A page of accounts.
    pub async fn instances(&self, query: &InstanceQuery) -> Result<Page<Instance>, ReadError> {
        let read = self.list_instances(query).await;
        self.derived(read)
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
            instances.push(instance(&row)?);
        }
        instances.sort_unstable_by_key(|instance| instance.id_instance);
        Ok(Page {
            entries: instances,
            next: choice.next(),
            memory,
        })
    }
}

/// The accounts whose numbers the JSON array has that is bound behind it.
pub(super) fn chosen() -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(COLUMNS);
    sql.push(" WHERE instance.id_instance IN (SELECT value FROM json_each(");
    sql
}

/// Chooses a page: the number and the size of each account.
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

fn instance(row: &SqliteRow) -> Result<Instance, sqlx::Error> {
    let told = |seq: &str, body: &str| -> Result<Option<(i64, &[u8])>, sqlx::Error> {
        let seq: Option<i64> = row.try_get(seq)?;
        let body: Option<&[u8]> = row.try_get(body)?;
        Ok(seq.zip(body))
    };
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
        socket: told("socket_seq", "socket")?.and_then(|(seq, body)| Socket::of(seq, body)),
        quota: told("quota_seq", "quota")?.and_then(|(seq, body)| Quota::of(seq, body)),
        newest: NewestEvent {
            seq: row.try_get("seq")?,
            received_at: UnixMillis(row.try_get("received_at")?),
            type_webhook: row.try_get("type_webhook")?,
            timestamp: row.try_get("timestamp")?,
        },
    })
}
