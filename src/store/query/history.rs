//! Reads one message with a page of its history, which is made of the events that mention the
//! message.

use std::borrow::Cow;

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::messages::{COPIES, SIZE, SOURCES};
use super::page::{Choice, Position, Single};
use super::plan::Conditions;
use super::reader::{Files, Reader};
use crate::model::{History, MessageWithHistory, canonical_chat};
use crate::store::compressed::body_size;
use crate::store::error::ReadError;
use crate::store::projection::{EntityKind, key};
use crate::store::thinned::stored_digest;

/// Maximum number of events in a page of a history.
const PAGE_EVENTS: u32 = 1000;

/// Bytes of event bodies in a page of a history, which ends before it exceeds them. A page has at
/// least one event, whatever its size.
const PAGE_BYTES: usize = 2 * 1024 * 1024;

/// Number of copies of each of those bytes in memory: in SQLite, in the page, and in the history.
const HISTORY_COPIES: usize = 3;

/// The identity of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageId {
    /// `idInstance`.
    pub id_instance: i64,
    /// `chatId`, in any of its forms.
    pub chat_id: String,
    /// `idMessage`.
    pub id_message: String,
}

/// An event that mentions a message or a call.
#[derive(Debug)]
pub(super) struct EntityEvent {
    pub(super) seq: i64,
    pub(super) received_at: i64,
    /// `None` if its bytes are damaged.
    pub(super) body: Option<Vec<u8>>,
}

impl EntityEvent {
    /// Seq, arrival in milliseconds and body, unless the body is damaged.
    pub(super) fn intact(&self) -> Option<(i64, i64, &[u8])> {
        Some((self.seq, self.received_at, self.body.as_deref()?))
    }
}

impl Reader {
    /// Reads one message with a page of its history, if the message exists. Pages of a history
    /// follow each other in seq order; within a page, the events are in time order.
    pub async fn message(
        &self,
        id: &MessageId,
        position: Position,
    ) -> Result<Option<Single<MessageWithHistory>>, ReadError> {
        let read = self.read_message(id, position).await;
        self.check_derived(read)
    }

    async fn read_message(
        &self,
        id: &MessageId,
        position: Position,
    ) -> Result<Option<Single<MessageWithHistory>>, ReadError> {
        let found = self.choose(Files::Both, &mut one(id), 1, 0).await?;
        let Some(&entity) = found.keys.first() else {
            return Ok(None);
        };
        let mut sql = events_of(entity, position);
        let choice = self
            .choose(Files::Both, &mut sql, PAGE_EVENTS, PAGE_BYTES)
            .await?;
        let (mut read, _) = self.read_messages(&found).await?;
        let Some((mut message, _)) = read.pop() else {
            return Ok(None);
        };
        let cost = choice.cost(HISTORY_COPIES) + found.cost(COPIES);
        let memory = self.memory.reserve(cost).await?;
        let events = self.read_entity_events(&choice).await?;
        message.damaged |= events.iter().any(|event| event.body.is_none());
        let events = events.iter().filter_map(EntityEvent::intact);
        let is_whole = position == Position::Start && !choice.more;
        let history = History::of(&id.id_message, events, is_whole);
        let entry = MessageWithHistory {
            message,
            history,
            next: choice.next(),
        };
        Ok(Some(Single { entry, memory }))
    }

    /// Reads an event that mentions an entity, and checks its body.
    pub(super) fn entity_event(&self, row: &SqliteRow) -> Result<EntityEvent, sqlx::Error> {
        let columns = ("seq", "digest", "body", "size");
        let body = self.damage.checked(row, columns, &mut false)?;
        Ok(EntityEvent {
            seq: row.try_get("seq")?,
            received_at: row.try_get("received_at")?,
            body: body.map(Cow::into_owned),
        })
    }

    /// Reads the selected events.
    pub(super) async fn read_entity_events(
        &self,
        choice: &Choice,
    ) -> Result<Vec<EntityEvent>, ReadError> {
        let mut lease = self.lease(Files::Both).await?;
        let mut rows = sqlx::query(READ).bind(choice.json()).fetch(&mut *lease);
        let mut events = Vec::with_capacity(choice.keys.len());
        while let Some(row) = rows.try_next().await? {
            events.push(self.entity_event(&row)?);
        }
        Ok(events)
    }
}

/// Selects the events in a JSON array of seqs.
pub(super) const READ: &str = concat!(
    "SELECT seq, received_at, ",
    stored_digest!("event"),
    " AS digest, body, size FROM event WHERE seq IN (SELECT value FROM json_each(?))"
);

/// Builds the query that selects one message: its seq and its size.
pub(super) fn one(id: &MessageId) -> QueryBuilder<Sqlite> {
    let MessageId {
        id_instance,
        chat_id,
        id_message,
    } = id;
    let mut sql = QueryBuilder::new("SELECT entity.seq, ");
    sql.push(SIZE).push(" FROM projection.entity").push(SOURCES);
    let mut conditions = Conditions::new();
    conditions
        .add(&mut sql, "entity.key = ")
        .push_bind(key(false, *id_instance, id_message));
    conditions
        .add(&mut sql, "entity.kind = ")
        .push_bind(EntityKind::Message as i64);
    conditions
        .add(&mut sql, "entity.id_instance = ")
        .push_bind(*id_instance);
    conditions
        .add(&mut sql, "chat.value = ")
        .push_bind(canonical_chat(chat_id).into_owned());
    conditions
        .add(&mut sql, "entity.id_message = ")
        .push_bind(id_message.clone());
    sql
}

/// Builds the query that selects the events that mention an entity: the seq and the size of each,
/// in seq order. The entity's own event is the first of all.
pub(super) fn events_of(entity: i64, position: Position) -> QueryBuilder<Sqlite> {
    let after = match position {
        Position::Start => i64::MIN,
        Position::After(seq) => seq,
    };
    let mut sql = QueryBuilder::new(concat!(
        "SELECT seq, ",
        body_size!("event"),
        " FROM event WHERE seq = "
    ));
    sql.push_bind(entity)
        .push(" AND seq > ")
        .push_bind(after)
        .push(concat!(
            " UNION ALL SELECT event.seq, ",
            body_size!("event"),
            " FROM projection.mention CROSS JOIN event ON event.seq = mention.seq
             WHERE mention.entity = "
        ))
        .push_bind(entity)
        .push(" AND mention.seq > ")
        .push_bind(after)
        // One extra row shows whether there is a next page.
        .push(" LIMIT ")
        .push_bind(i64::from(PAGE_EVENTS) + 1);
    sql
}
