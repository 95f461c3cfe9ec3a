//! Reads a page of the messages that match a filter.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::events::drift_term;
use super::intact::DamageReports;
use super::memory::Reserved;
use super::page::{Choice, Order, Page, Position};
use super::plan::{Conditions, POSTINGS, QueryPlan, Scan};
use super::reader::{Files, Reader};
use crate::clock::UnixMillis;
use crate::model::{Direction, Message, MessageEvents, MessagePlace, OutcomeKind, canonical_chat};
use crate::store::compressed::body_size;
use crate::store::error::ReadError;
use crate::store::projection::{EntityKind, TermKind, Words};
use crate::store::thinned::stored_digest;

/// The columns that [`message`] builds a [`Message`] from.
pub(super) const COLUMNS: &str = concat!(
    "
    SELECT entity.seq AS seq, entity.id_instance AS id_instance, chat.value AS chat_id,
           entity.id_message AS id_message, entity.direction AS direction,
           entity.deletion_seq IS NOT NULL AS deleted, entity.extra AS extra,
           content.seq AS content_seq, content.received_at AS content_at,
           ",
    stored_digest!("content"),
    " AS content_digest, content.body AS content, content.size AS content_size,
           edit.seq AS edit_seq, edit.received_at AS edit_at,
           ",
    stored_digest!("edit"),
    " AS edit_digest, edit.body AS edit, edit.size AS edit_size,
           status.seq AS status_seq, ",
    stored_digest!("status"),
    " AS status_digest, status.body AS status, status.size AS status_size"
);

/// The tables of those columns.
pub(super) const SOURCES: &str = "
    LEFT JOIN projection.term AS chat ON chat.id = entity.chat
    LEFT JOIN event AS content ON content.seq = entity.content_seq
    LEFT JOIN event AS edit ON edit.seq = entity.edit_seq
    LEFT JOIN event AS status ON status.seq = entity.status_seq";

/// SQL expression for the bytes of the bodies that a message is built from.
pub(super) const SIZE: &str = concat!(
    "coalesce(",
    body_size!("content"),
    ", 0) + coalesce(",
    body_size!("edit"),
    ", 0) + coalesce(",
    body_size!("status"),
    ", 0)
    + CASE WHEN entity.extra IS NULL THEN 0 ELSE (
        SELECT coalesce(sum(",
    body_size!("more"),
    "), 0) FROM event AS more
        WHERE more.seq IN (SELECT value FROM json_each(entity.extra))) END"
);

/// Number of copies of each of those bytes while a message is built: in SQLite and in the row.
pub(super) const COPIES: usize = 2;

/// Bytes of bodies in a page, which ends before it exceeds them. A page has at least one entry,
/// whatever its size.
pub(super) const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Filters for messages. `None` means no filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// `idInstance`.
    pub instance: Option<i64>,
    /// `typeWebhook` of the event that has the content of the message.
    pub type_webhook: Option<String>,
    /// `typeMessage`.
    pub type_message: Option<String>,
    /// `chatId`, in any of its forms. The other chats of the same person count too.
    pub chat: Option<String>,
    /// The outcome of parsing that event.
    pub outcome: Option<OutcomeKind>,
    /// Whether some fields of that event do not match the documented format.
    pub drift: Option<bool>,
    /// The first event that mentions the message arrived at this time or later.
    pub since: Option<UnixMillis>,
    /// The first event that mentions the message arrived before this time.
    pub until: Option<UnixMillis>,
    /// The direction.
    pub direction: Option<Direction>,
    /// The current status.
    pub status: Option<String>,
    /// A search in its texts.
    pub words: Option<Words>,
}

/// A query for a page of messages.
#[derive(Debug, Clone)]
pub struct MessageQuery {
    /// The filter.
    pub filter: MessageFilter,
    /// The order.
    pub order: Order,
    /// The position where the page starts.
    pub position: Position,
    /// Maximum number of messages.
    pub limit: u32,
}

impl MessageFilter {
    /// The chat in its canonical form, as messages store it.
    fn canonical_chat(&self) -> Option<String> {
        let chat = self.chat.as_deref();
        chat.map(|chat| canonical_chat(chat).into_owned())
    }

    fn terms(&self) -> Vec<(TermKind, String)> {
        let direction = self.direction.map(Direction::type_webhook);
        let outcome = self
            .outcome
            .filter(|outcome| *outcome != OutcomeKind::Known)
            .map(|outcome| outcome.name().to_owned());
        let mut terms: Vec<_> = [
            (TermKind::Instance, self.instance.map(|id| id.to_string())),
            (TermKind::TypeWebhook, self.type_webhook.clone()),
            (TermKind::TypeWebhook, direction.map(str::to_owned)),
            (TermKind::TypeMessage, self.type_message.clone()),
            (TermKind::Chat, self.canonical_chat()),
            (TermKind::Outcome, outcome),
            (TermKind::Drift, drift_term(self.drift)),
            (TermKind::Status, self.status.clone()),
        ]
        .into_iter()
        .filter_map(|(kind, value)| value.map(|value| (kind, value)))
        .collect();
        terms.dedup();
        terms
    }
}

impl Reader {
    /// Reads a page of messages.
    pub async fn messages(&self, query: &MessageQuery) -> Result<Page<Message>, ReadError> {
        let read = self.list_messages(query).await;
        self.check_derived(read)
    }

    async fn list_messages(&self, query: &MessageQuery) -> Result<Page<Message>, ReadError> {
        let filter = &query.filter;
        if filter.words.as_ref().is_some_and(Words::is_empty) {
            // A search without a word matches nothing.
            return Ok(Page::empty());
        }
        let known = match &filter.words {
            Some(words) => self.words_with_prefixes(words).await?,
            None => BTreeMap::new(),
        };
        let mut lists = Vec::new();
        for chat in self
            .wanted_chats(filter.chat.as_deref(), filter.instance)
            .await?
        {
            let filter = MessageFilter {
                chat,
                ..filter.clone()
            };
            lists.extend(
                self.list_of(MessageQuery { filter, ..*query }, &known)
                    .await?,
            );
        }
        if lists.is_empty() {
            return Ok(Page::empty());
        }
        let _permit = match &filter.words {
            Some(_) => Some(self.search_permit().await?),
            None => None,
        };
        let choice = self
            .choose_among(&mut lists, query.order, query.limit, PAGE_BYTES)
            .await?;
        let (read, memory) = self.read_messages(&choice).await?;
        let mut entries: Vec<_> = read.into_iter().map(|(message, _)| message).collect();
        if query.order == Order::Ascending {
            entries.reverse();
        }
        Ok(Page {
            entries,
            next: choice.next(),
            memory,
        })
    }

    /// The query for a page of messages of one chat or of all; `None` if no message can match. `known` has the words of
    /// the index with each prefix of the search.
    async fn list_of(
        &self,
        query: MessageQuery,
        known: &BTreeMap<String, Vec<String>>,
    ) -> Result<Option<QueryBuilder<Sqlite>>, ReadError> {
        let filter = &query.filter;
        let selected = self
            .select(&filter.terms(), filter.since, filter.until)
            .await?;
        let Some(plan) = selected else {
            return Ok(None);
        };
        let fts_query = match &filter.words {
            None => None,
            Some(words) => {
                let chat = match filter.canonical_chat() {
                    Some(chat) => self.term(TermKind::Chat, &chat).await?,
                    None => None,
                };
                words.fts_query(filter.instance, chat, known)
            }
        };
        Ok(Some(list(&query, &plan, fts_query)))
    }

    /// Reads the selected messages and the names of their chats, with the greatest seq first.
    pub(super) async fn read_messages(
        &self,
        choice: &Choice,
    ) -> Result<(Vec<(Message, Option<String>)>, Reserved), ReadError> {
        if choice.keys.is_empty() {
            return Ok((Vec::new(), Reserved::nothing()));
        }
        let memory = self.memory.reserve(choice.cost(COPIES)).await?;
        let mut sql = chosen();
        sql.push_bind(choice.json()).push("))");
        let mut lease = self.lease(Files::Both).await?;
        let mut rows = sql.build().fetch(&mut *lease);
        let mut read = Vec::with_capacity(choice.keys.len());
        let mut unfinished = Vec::new();
        while let Some(row) = rows.try_next().await? {
            match row.try_get::<Option<String>, _>("extra")? {
                None => read.push(message(&row, &[], &self.damage)?),
                Some(extra) => unfinished.push((row, extra)),
            }
        }
        drop(rows);
        for (row, extra) in unfinished {
            let rows = sqlx::query(EXTRA).bind(extra).fetch_all(&mut *lease);
            read.push(message(&row, &rows.await?, &self.damage)?);
        }
        drop(lease);
        let mut aliases = self.read_aliases(choice).await?;
        for (message, _) in &mut read {
            message.alias_of = aliases.remove(&message.seq);
        }
        self.mark_files(read.iter_mut().map(|(message, _)| message))
            .await?;
        read.sort_unstable_by_key(|(message, _)| -message.seq);
        Ok((read, memory))
    }
}

/// Selects the further events of a message, given as a JSON array of seqs.
pub(super) const EXTRA: &str = concat!(
    "SELECT seq, received_at, ",
    stored_digest!("event"),
    " AS digest, body, size FROM event WHERE seq IN (SELECT value FROM json_each(?))"
);

/// Builds the query for the messages in a JSON array of seqs, which the caller binds next.
pub(super) fn chosen() -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(COLUMNS);
    sql.push(" FROM projection.entity")
        .push(SOURCES)
        .push(" WHERE entity.seq IN (SELECT value FROM json_each(");
    sql
}

/// Builds a message and the name of its chat from its row and the rows of its further events. Damaged events
/// are left out, and the message is marked.
fn message(
    row: &SqliteRow,
    extra: &[SqliteRow],
    damage: &DamageReports,
) -> Result<(Message, Option<String>), sqlx::Error> {
    let direction: Option<i64> = row.try_get("direction")?;
    let direction =
        direction.and_then(|stored| Direction::ALL.into_iter().find(|all| *all as i64 == stored));
    let place = MessagePlace {
        seq: row.try_get("seq")?,
        id_instance: row.try_get("id_instance")?,
        chat_id: row.try_get("chat_id")?,
        id_message: row.try_get("id_message")?,
        direction,
    };
    let mut versions = Vec::with_capacity(2 + extra.len());
    let mut is_damaged = false;
    for (received_at, columns) in [
        (
            "content_at",
            ("content_seq", "content_digest", "content", "content_size"),
        ),
        ("edit_at", ("edit_seq", "edit_digest", "edit", "edit_size")),
    ] {
        if let Some(body) = damage.checked(row, columns, &mut is_damaged)? {
            versions.push((row.try_get(columns.0)?, row.try_get(received_at)?, body));
        }
    }
    for event in extra {
        let columns = ("seq", "digest", "body", "size");
        if let Some(body) = damage.checked(event, columns, &mut is_damaged)? {
            versions.push((event.try_get("seq")?, event.try_get("received_at")?, body));
        }
    }
    let status = ("status_seq", "status_digest", "status", "status_size");
    let status = damage.checked(row, status, &mut is_damaged)?;
    let events = MessageEvents {
        versions: versions
            .iter()
            .map(|(seq, received_at, body)| (*seq, *received_at, &**body))
            .collect(),
        status: status.as_deref(),
        deleted: row.try_get("deleted")?,
    };
    let (mut message, chat_name) = Message::new(place, events);
    message.damaged = is_damaged;
    Ok((message, chat_name))
}

/// Builds the query that selects a page: the seq and the size of each message. It scans the search
/// results, or without a search the rarest term, and checks the columns of each message.
pub(super) fn list(
    query: &MessageQuery,
    plan: &QueryPlan,
    fts_query: Option<String>,
) -> QueryBuilder<Sqlite> {
    let filter = &query.filter;
    let mut sql = QueryBuilder::new("SELECT entity.seq, ");
    sql.push(SIZE);
    let mut conditions = Conditions::new();
    let needs_arrival = filter.since.is_some() || filter.until.is_some();
    let sources = |sql: &mut QueryBuilder<Sqlite>| {
        sql.push(SOURCES);
        if needs_arrival {
            sql.push(" JOIN event AS first ON first.seq = entity.seq");
        }
    };
    let scan = if let Some(fts_query) = fts_query {
        sql.push(" FROM projection.word CROSS JOIN projection.entity ON entity.seq = word.rowid");
        sources(&mut sql);
        conditions
            .add(&mut sql, "word.word MATCH ")
            .push_bind(fts_query);
        Scan::Seq("word.rowid")
    } else if let [leading, others @ ..] = plan.terms.as_slice() {
        sql.push(" FROM ")
            .push(POSTINGS)
            .push(" CROSS JOIN projection.entity ON entity.seq = posting.seq");
        sources(&mut sql);
        conditions.postings(&mut sql, *leading, others);
        Scan::Postings
    } else {
        sql.push(" FROM projection.entity");
        sources(&mut sql);
        Scan::Seq("entity.seq")
    };
    conditions.range(&mut sql, scan, (query.position, query.order), plan);
    conditions
        .add(&mut sql, "entity.kind = ")
        .push_bind(EntityKind::Message as i64);
    for (column, value) in [
        ("entity.id_instance = ", filter.instance),
        (
            "entity.direction = ",
            filter.direction.map(|direction| direction as i64),
        ),
        ("first.received_at >= ", filter.since.map(|moment| moment.0)),
        ("first.received_at < ", filter.until.map(|moment| moment.0)),
    ] {
        if let Some(value) = value {
            conditions.add(&mut sql, column).push_bind(value);
        }
    }
    for (column, value) in [
        ("entity.type_message = ", &filter.type_message),
        ("entity.status = ", &filter.status),
        ("chat.value = ", &filter.canonical_chat()),
        ("content.type_webhook = ", &filter.type_webhook),
    ] {
        if let Some(value) = value {
            conditions.add(&mut sql, column).push_bind(value.clone());
        }
    }
    if let Some(outcome) = filter.outcome {
        conditions
            .add(&mut sql, "content.outcome = ")
            .push_bind(outcome.name());
    }
    if let Some(drift) = filter.drift {
        conditions.drift(&mut sql, "content.seq", drift);
    }
    scan.order(&mut sql, query.order);
    // One extra row shows whether there is a next page.
    sql.push(" LIMIT ").push_bind(i64::from(query.limit) + 1);
    sql
}
