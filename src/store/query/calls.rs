//! Reads a page of calls.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::history::EntityEvent;
use super::page::{Choice, Order, Page, Position};
use super::plan::{Conditions, POSTINGS, QueryPlan, Scan};
use super::reader::{Files, Reader};
use crate::clock::UnixMillis;
use crate::model::{Call, canonical_chat};
use crate::notification::CallStatus;
use crate::store::compressed::body_size;
use crate::store::error::ReadError;
use crate::store::projection::{EntityKind, TermKind};
use crate::store::thinned::stored_digest;

/// Bytes of event bodies in a page, which ends before it exceeds them. A page has at least one
/// call, whatever its size.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Number of copies of each of those bytes in memory: one in SQLite, one in the page.
const COPIES: usize = 2;

/// Bytes of the event bodies that are read for one call: its first event and up to 32 further ones.
/// A call has two or three events of 1 KB; if it was reported over and over, only the first are
/// read.
const SIZE: &str = concat!(
    body_size!("first"),
    " + (
        SELECT coalesce(sum(",
    body_size!("event"),
    "), 0) FROM event WHERE event.seq IN (
            SELECT mention.seq FROM projection.mention
            WHERE mention.entity = entity.seq ORDER BY mention.seq LIMIT 32))"
);

/// Selects those events for the calls in a JSON array of seqs.
pub(super) const EVENTS: &str = concat!(
    "SELECT call.value AS entity, event.seq AS seq, received_at, ",
    stored_digest!("event"),
    " AS digest, body, size
    FROM json_each(?1) AS call CROSS JOIN event ON event.seq = call.value
    UNION ALL
    SELECT call.value, event.seq, received_at, ",
    stored_digest!("event"),
    ", body, size
    FROM json_each(?1) AS call CROSS JOIN event ON event.seq IN (
        SELECT mention.seq FROM projection.mention
        WHERE mention.entity = call.value ORDER BY mention.seq LIMIT 32)"
);

/// Selects the identities of the calls in a JSON array of seqs.
pub(super) const IDENTITIES: &str = "
    SELECT entity.seq AS seq, entity.id_instance AS id_instance,
           entity.id_message AS id_message
    FROM projection.entity WHERE entity.seq IN (SELECT value FROM json_each(?))";

/// Filters for calls. `None` means no filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// `idInstance`.
    pub instance: Option<i64>,
    /// The caller's `chatId`, in any of its forms and under any identifier that an event of the
    /// call has. The other chats of the same person count too.
    pub chat: Option<String>,
    /// The status of the call.
    pub status: Option<String>,
    /// The first event of the call arrived at this time or later.
    pub since: Option<UnixMillis>,
    /// The first event of the call arrived before this time.
    pub until: Option<UnixMillis>,
}

/// A query for a page of calls.
#[derive(Debug, Clone)]
pub struct CallQuery {
    /// The filter.
    pub filter: CallFilter,
    /// The order.
    pub order: Order,
    /// The position where the page starts.
    pub position: Position,
    /// Maximum number of calls.
    pub limit: u32,
}

impl Reader {
    /// Reads a page of calls.
    pub async fn calls(&self, query: &CallQuery) -> Result<Page<Call>, ReadError> {
        let read = self.list_calls(query).await;
        self.check_derived(read)
    }

    async fn list_calls(&self, query: &CallQuery) -> Result<Page<Call>, ReadError> {
        let filter = &query.filter;
        let instance = filter.instance.map(|id| id.to_string());
        let calls = (TermKind::Call, instance.unwrap_or_default());
        let mut lists = Vec::new();
        for chat in self
            .wanted_chats(filter.chat.as_deref(), filter.instance)
            .await?
        {
            let chat = chat.as_deref().map(canonical_chat);
            let mut wanted = vec![calls.clone()];
            wanted.extend(chat.map(|chat| (TermKind::Chat, chat.into_owned())));
            let selected = self.select(&wanted, filter.since, filter.until).await?;
            lists.extend(selected.map(|plan| list(query, &plan)));
        }
        let choice = self
            .choose_among(&mut lists, query.order, query.limit, PAGE_BYTES)
            .await?;
        if choice.keys.is_empty() {
            return Ok(Page::empty());
        }
        let memory = self.memory.reserve(choice.cost(COPIES)).await?;
        let mut events = self.events_of_calls(&choice).await?;
        let mut lease = self.lease(Files::Both).await?;
        let rows = sqlx::query(IDENTITIES).bind(choice.json());
        let mut calls = Vec::with_capacity(choice.keys.len());
        for row in rows.fetch_all(&mut *lease).await? {
            let seq: i64 = row.try_get("seq")?;
            let events = events.remove(&seq).unwrap_or_default();
            let identity = (row.try_get("id_instance")?, row.try_get("id_message")?);
            let is_damaged = events.iter().any(|event| event.body.is_none());
            let intact = events.iter().filter_map(EntityEvent::intact);
            let mut call = Call::of(seq, identity, intact);
            if let Some(call) = &mut call {
                call.damaged = is_damaged;
            }
            calls.extend(call);
        }
        calls.sort_unstable_by_key(|call| match query.order {
            Order::Ascending => call.seq,
            Order::Descending => -call.seq,
        });
        Ok(Page {
            entries: calls,
            next: choice.next(),
            memory,
        })
    }

    /// The first events of each of these calls, as many as [`SIZE`] counts.
    async fn events_of_calls(
        &self,
        calls: &Choice,
    ) -> Result<HashMap<i64, Vec<EntityEvent>>, ReadError> {
        let mut lease = self.lease(Files::Both).await?;
        let rows = sqlx::query(EVENTS).bind(calls.json());
        let mut rows = rows.fetch(&mut *lease);
        let mut found = HashMap::<_, Vec<_>>::new();
        while let Some(row) = rows.try_next().await? {
            let events = found.entry(row.try_get("entity")?).or_default();
            events.push(self.entity_event(&row)?);
        }
        Ok(found)
    }
}

/// Builds the query that selects a page: the seq and the size of each call. The postings decide who
/// called, because events of one call may name the caller differently.
pub(super) fn list(query: &CallQuery, plan: &QueryPlan) -> QueryBuilder<Sqlite> {
    let filter = &query.filter;
    let mut sql = QueryBuilder::new("SELECT entity.seq, ");
    sql.push(SIZE).push(" FROM ").push(POSTINGS).push(
        " CROSS JOIN projection.entity ON entity.seq = posting.seq
         JOIN event AS first ON first.seq = entity.seq",
    );
    let mut conditions = Conditions::new();
    if let [leading, others @ ..] = plan.terms.as_slice() {
        conditions.postings(&mut sql, *leading, others);
    }
    let start = (query.position, query.order);
    conditions.range(&mut sql, Scan::Postings, start, plan);
    conditions
        .add(&mut sql, "entity.kind = ")
        .push_bind(EntityKind::Call as i64);
    for (column, value) in [
        ("entity.id_instance = ", filter.instance),
        ("first.received_at >= ", filter.since.map(|moment| moment.0)),
        ("first.received_at < ", filter.until.map(|moment| moment.0)),
    ] {
        if let Some(value) = value {
            conditions.add(&mut sql, column).push_bind(value);
        }
    }
    if let Some(status) = &filter.status {
        conditions
            .add(&mut sql, "entity.status = ")
            .push_bind(CallStatus::usual_name(status).to_owned());
    }
    Scan::Postings.order(&mut sql, query.order);
    // One extra row shows whether there is a next page.
    sql.push(" LIMIT ").push_bind(i64::from(query.limit) + 1);
    sql
}
