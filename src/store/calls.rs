//! Reads calls.

use std::collections::HashMap;

use sqlx::{QueryBuilder, Row, Sqlite};

use super::messages::SubjectEvent;
use super::projection::{SubjectKind, TermKind};
use super::selection::{Along, Conditions, POSTINGS, Selection};
use super::{Order, Page, Position, ReadError, Reader};
use crate::clock::UnixMillis;
use crate::view::Call;

/// Events of the calls of a page that are read; a call has a few.
const MAX_EVENTS: i64 = 10_000;

/// Which calls; what is `None` is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// `idInstance`.
    pub instance: Option<i64>,
    /// Who called.
    pub chat: Option<String>,
    /// What became of it.
    pub status: Option<String>,
    /// The first event that speaks of it came at this moment or later.
    pub since: Option<UnixMillis>,
    /// The first event that speaks of it came before this moment.
    pub until: Option<UnixMillis>,
}

/// What to read.
#[derive(Debug, Clone)]
pub struct CallQuery {
    /// Which calls.
    pub filter: CallFilter,
    /// In which order.
    pub order: Order,
    /// From where on.
    pub position: Position,
    /// How many at most.
    pub limit: u32,
}

impl Reader {
    /// A page of calls.
    pub async fn calls(&self, query: &CallQuery) -> Result<Page<Call>, ReadError> {
        let filter = &query.filter;
        let instance = filter.instance.map(|id| id.to_string());
        let mut wanted = vec![(TermKind::Call, instance.unwrap_or_default())];
        wanted.extend(filter.chat.clone().map(|chat| (TermKind::Chat, chat)));
        let selected = self.select(&wanted, filter.since, filter.until).await?;
        let Some(selection) = selected else {
            return Ok(Page::empty());
        };
        let rows = list(query, &selection)
            .build()
            .fetch_all(&self.pool)
            .await?;
        let mut subjects = Vec::with_capacity(rows.len());
        for row in &rows {
            subjects.push(row.try_get("seq")?);
        }
        let mut further = self.further_events(&subjects).await?;
        let mut calls = Vec::with_capacity(rows.len());
        for row in rows {
            let seq: i64 = row.try_get("seq")?;
            let mut events = further.remove(&seq).unwrap_or_default();
            events.push(SubjectEvent {
                seq,
                received_at: row.try_get("received_at")?,
                body: row.try_get("body")?,
            });
            let identity = (
                row.try_get("id_instance")?,
                row.try_get("chat_id")?,
                row.try_get("id_message")?,
            );
            let events = events
                .iter()
                .map(|event| (event.seq, event.received_at, event.body.as_slice()));
            calls.extend(Call::of(seq, identity, events).map(|call| (seq, call)));
        }
        Ok(Page::of(calls, query.limit))
    }

    /// What was told of each of these calls behind its first event.
    async fn further_events(
        &self,
        calls: &[i64],
    ) -> Result<HashMap<i64, Vec<SubjectEvent>>, ReadError> {
        let mut found = HashMap::<_, Vec<_>>::new();
        if calls.is_empty() {
            return Ok(found);
        }
        let mut sql = QueryBuilder::new(
            "SELECT subject, event.seq AS seq, received_at, body
             FROM projection.mention CROSS JOIN event ON event.seq = mention.seq
             WHERE subject IN (",
        );
        let mut listed = sql.separated(", ");
        for call in calls {
            listed.push_bind(*call);
        }
        sql.push(") LIMIT ").push_bind(MAX_EVENTS);
        for row in sql.build().fetch_all(&self.pool).await? {
            found
                .entry(row.try_get("subject")?)
                .or_default()
                .push(SubjectEvent {
                    seq: row.try_get("seq")?,
                    received_at: row.try_get("received_at")?,
                    body: row.try_get("body")?,
                });
        }
        Ok(found)
    }
}

pub(super) fn list(query: &CallQuery, selection: &Selection) -> QueryBuilder<Sqlite> {
    let filter = &query.filter;
    let mut sql = QueryBuilder::new(
        "SELECT subject.seq AS seq, subject.id_instance AS id_instance, chat.value AS chat_id,
                subject.id_message AS id_message, first.received_at AS received_at,
                first.body AS body
         FROM ",
    );
    sql.push(POSTINGS).push(
        " CROSS JOIN projection.subject ON subject.seq = posting.seq
         JOIN projection.term AS chat ON chat.id = subject.chat
         JOIN event AS first ON first.seq = subject.seq",
    );
    let mut conditions = Conditions::new();
    if let [leading, others @ ..] = selection.terms.as_slice() {
        conditions.postings(&mut sql, *leading, others);
    }
    let place = (query.position, query.order);
    conditions.place(&mut sql, Along::Postings, place, selection);
    conditions
        .add(&mut sql, "subject.kind = ")
        .push_bind(SubjectKind::Call as i64);
    for (column, value) in [
        ("subject.id_instance = ", filter.instance),
        ("first.received_at >= ", filter.since.map(|moment| moment.0)),
        ("first.received_at < ", filter.until.map(|moment| moment.0)),
    ] {
        if let Some(value) = value {
            conditions.add(&mut sql, column).push_bind(value);
        }
    }
    for (column, value) in [
        ("chat.value = ", &filter.chat),
        ("subject.status = ", &filter.status),
    ] {
        if let Some(value) = value {
            conditions.add(&mut sql, column).push_bind(value.clone());
        }
    }
    Along::Postings.order(&mut sql, query.order);
    // One more, to see whether there are more.
    sql.push(" LIMIT ").push_bind(i64::from(query.limit) + 1);
    sql
}
