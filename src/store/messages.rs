//! Reads messages: a page of those that fit a filter, or one with its history.

use futures_util::TryStreamExt;
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};
use utoipa::ToSchema;

use super::projection::{SubjectKind, TermKind, key, words};
use super::selection::{Along, Conditions, POSTINGS, Selection};
use super::{Order, OutcomeKind, Page, Position, ReadError, Reader};
use crate::clock::UnixMillis;
use crate::view::{Direction, History, Message, MessageEvents, MessagePlace};

/// What makes a [`Message`], for [`message`].
pub(super) const COLUMNS: &str = "
    SELECT subject.seq AS seq, subject.id_instance AS id_instance, chat.value AS chat_id,
           subject.id_message AS id_message, subject.direction AS direction,
           subject.deletion_seq IS NOT NULL AS deleted, content.body AS content,
           edit.body AS edit, status.body AS status";

/// Where that is found.
pub(super) const SOURCES: &str = "
    JOIN projection.term AS chat ON chat.id = subject.chat
    LEFT JOIN event AS content ON content.seq = subject.content_seq
    LEFT JOIN event AS edit ON edit.seq = subject.edit_seq
    LEFT JOIN event AS status ON status.seq = subject.status_seq";

/// Events that a history has at most; of more, the first that came.
const MAX_HISTORY: i64 = 10_000;

/// The events that speak of a message or a call.
pub(super) const EVENTS_OF: &str = "
    SELECT seq, received_at, body FROM event WHERE seq = ?1
    UNION ALL
    SELECT event.seq, received_at, body
    FROM projection.mention CROSS JOIN event ON event.seq = mention.seq
    WHERE subject = ?1 LIMIT ?2";

/// Which messages; what is `None` is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// `idInstance`.
    pub instance: Option<i64>,
    /// `typeWebhook` that the message came with.
    pub type_webhook: Option<String>,
    /// `typeMessage`.
    pub type_message: Option<String>,
    /// `chatId`.
    pub chat: Option<String>,
    /// What was made of it.
    pub outcome: Option<OutcomeKind>,
    /// The first event that speaks of it came at this moment or later.
    pub since: Option<UnixMillis>,
    /// The first event that speaks of it came before this moment.
    pub until: Option<UnixMillis>,
    /// Which way it went.
    pub direction: Option<Direction>,
    /// The status that stands.
    pub status: Option<String>,
    /// Words that it has, each whole or with a `*` behind it.
    pub words: Option<String>,
}

/// What to read.
#[derive(Debug, Clone)]
pub struct MessageQuery {
    /// Which messages.
    pub filter: MessageFilter,
    /// In which order.
    pub order: Order,
    /// From where on.
    pub position: Position,
    /// How many at most.
    pub limit: u32,
    /// Bytes of bodies that are read at most; one message is given whatever it has.
    pub max_bytes: usize,
}

/// A message and what was done to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MessageWithHistory {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// What was done to it, in time order.
    #[serde(flatten)]
    pub history: History,
}

impl MessageFilter {
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
            (TermKind::Chat, self.chat.clone()),
            (TermKind::Outcome, outcome),
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
    /// A page of messages.
    pub async fn messages(&self, query: &MessageQuery) -> Result<Page<Message>, ReadError> {
        let filter = &query.filter;
        let selected = self
            .select(&filter.terms(), filter.since, filter.until)
            .await?;
        let Some(selection) = selected else {
            return Ok(Page::empty());
        };
        let question = match &filter.words {
            None => None,
            Some(asked) => {
                let chat = match &filter.chat {
                    Some(chat) => self.term(TermKind::Chat, chat).await?,
                    None => None,
                };
                match words::question(asked, filter.instance, chat) {
                    // What has no word is in no message.
                    None => return Ok(Page::empty()),
                    question => question,
                }
            }
        };
        let mut sql = list(query, &selection, question);
        let mut read = Vec::new();
        let mut bytes = 0;
        let mut rows = sql.build().fetch(&self.pool);
        while let Some(row) = rows.try_next().await? {
            if bytes > query.max_bytes {
                // There are more, and this one is left to the next page.
                let next = read.last().map(|(seq, _)| *seq);
                let entries = read.into_iter().map(|(_, message)| message).collect();
                return Ok(Page { entries, next });
            }
            let (message, _, size) = message(&row)?;
            bytes += size;
            read.push((message.seq, message));
        }
        Ok(Page::of(read, query.limit))
    }

    /// One message with its history, if there is one.
    pub async fn message(
        &self,
        id_instance: i64,
        chat_id: &str,
        id_message: &str,
    ) -> Result<Option<MessageWithHistory>, ReadError> {
        let mut sql = one(id_instance, chat_id, id_message);
        let row = sql.build().fetch_optional(&self.pool).await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let (message, _, _) = message(&row)?;
        let events = self.events_of(message.seq).await?;
        let events = events
            .iter()
            .map(|event| (event.seq, event.received_at, event.body.as_slice()));
        let history = History::of(id_message, events);
        Ok(Some(MessageWithHistory { message, history }))
    }

    /// The events that speak of a message, the first that came first.
    async fn events_of(&self, subject: i64) -> Result<Vec<SubjectEvent>, ReadError> {
        let rows = sqlx::query(EVENTS_OF)
            .bind(subject)
            .bind(MAX_HISTORY)
            .fetch_all(&self.pool)
            .await?;
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            events.push(SubjectEvent {
                seq: row.try_get("seq")?,
                received_at: row.try_get("received_at")?,
                body: row.try_get("body")?,
            });
        }
        Ok(events)
    }
}

/// An event that speaks of a message or a call.
pub(super) struct SubjectEvent {
    pub(super) seq: i64,
    pub(super) received_at: i64,
    pub(super) body: Vec<u8>,
}

/// A message, the name of its chat, and how many bytes of bodies it is made of.
pub(super) fn message(row: &SqliteRow) -> Result<(Message, Option<String>, usize), sqlx::Error> {
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
    let events = MessageEvents {
        content: row.try_get("content")?,
        edit: row.try_get("edit")?,
        status: row.try_get("status")?,
        deleted: row.try_get("deleted")?,
    };
    let bodies = [&events.content, &events.edit, &events.status];
    let size = bodies.into_iter().flatten().map(Vec::len).sum();
    let (message, chat_name) = Message::new(place, &events);
    Ok((message, chat_name, size))
}

pub(super) fn one(id_instance: i64, chat_id: &str, id_message: &str) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(COLUMNS);
    sql.push(" FROM projection.subject").push(SOURCES);
    let mut conditions = Conditions::new();
    conditions.add(&mut sql, "subject.key = ").push_bind(key(
        false,
        id_instance,
        chat_id,
        id_message,
    ));
    conditions
        .add(&mut sql, "subject.kind = ")
        .push_bind(SubjectKind::Message as i64);
    conditions
        .add(&mut sql, "subject.id_instance = ")
        .push_bind(id_instance);
    conditions
        .add(&mut sql, "chat.value = ")
        .push_bind(chat_id.to_owned());
    conditions
        .add(&mut sql, "subject.id_message = ")
        .push_bind(id_message.to_owned());
    sql
}

/// The words lead where there are some, else the rarest term; the columns decide.
pub(super) fn list(
    query: &MessageQuery,
    selection: &Selection,
    question: Option<String>,
) -> QueryBuilder<Sqlite> {
    let filter = &query.filter;
    let mut sql = QueryBuilder::new(COLUMNS);
    let mut conditions = Conditions::new();
    let arrival = filter.since.is_some() || filter.until.is_some();
    let sources = |sql: &mut QueryBuilder<Sqlite>| {
        sql.push(SOURCES);
        if arrival {
            sql.push(" JOIN event AS first ON first.seq = subject.seq");
        }
    };
    let along = if let Some(question) = question {
        sql.push(" FROM projection.word CROSS JOIN projection.subject ON subject.seq = word.rowid");
        sources(&mut sql);
        conditions
            .add(&mut sql, "word.word MATCH ")
            .push_bind(question);
        Along::Seq("word.rowid")
    } else if let [leading, others @ ..] = selection.terms.as_slice() {
        sql.push(" FROM ")
            .push(POSTINGS)
            .push(" CROSS JOIN projection.subject ON subject.seq = posting.seq");
        sources(&mut sql);
        conditions.postings(&mut sql, *leading, others);
        Along::Postings
    } else {
        sql.push(" FROM projection.subject");
        sources(&mut sql);
        Along::Seq("subject.seq")
    };
    conditions.place(&mut sql, along, (query.position, query.order), selection);
    conditions
        .add(&mut sql, "subject.kind = ")
        .push_bind(SubjectKind::Message as i64);
    for (column, value) in [
        ("subject.id_instance = ", filter.instance),
        (
            "subject.direction = ",
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
        ("subject.type_message = ", &filter.type_message),
        ("subject.status = ", &filter.status),
        ("chat.value = ", &filter.chat),
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
    along.order(&mut sql, query.order);
    // One more, to see whether there are more.
    sql.push(" LIMIT ").push_bind(i64::from(query.limit) + 1);
    sql
}
