//! Reads one message with its history: the events that speak of it, a page of them at a time.

use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::events::Position;
use super::messages::{COPIES, SIZE, SOURCES};
use super::page::{Choice, Single};
use super::plan::Conditions;
use super::reader::{Files, Reader};
use crate::model::{History, MessageWithHistory, canonical_chat};
use crate::store::error::ReadError;
use crate::store::projection::{EntityKind, key};

/// Events that a page of a history is made of, at most.
const PAGE_EVENTS: u32 = 1000;

/// Bytes of the bodies that a page of a history is made of, at most; one event is read whatever it
/// has.
const PAGE_BYTES: usize = 2 * 1024 * 1024;

/// How often each byte of those bodies is held: by SQLite, beside the others of the page, and in the
/// history.
const HISTORY_COPIES: usize = 3;

/// Which message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageId {
    /// `idInstance`.
    pub id_instance: i64,
    /// `chatId`, in any of its forms.
    pub chat_id: String,
    /// `idMessage`.
    pub id_message: String,
}

/// An event that speaks of a message or a call.
#[derive(Debug)]
pub(super) struct EntityEvent {
    pub(super) seq: i64,
    pub(super) received_at: i64,
    pub(super) body: Vec<u8>,
}

impl Reader {
    /// One message with a page of its history, if there is one. A history has its events in the
    /// order of their seqs from page to page, and in time order within a page.
    pub async fn message(
        &self,
        id: &MessageId,
        position: Position,
    ) -> Result<Option<Single<MessageWithHistory>>, ReadError> {
        let read = self.read_message(id, position).await;
        self.derived(read)
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
        let Some((message, _)) = read.pop() else {
            return Ok(None);
        };
        let cost = choice.cost(HISTORY_COPIES) + found.cost(COPIES);
        let memory = self.memory.reserve(cost).await?;
        let events = self.read_entity_events(&choice).await?;
        let events = events
            .iter()
            .map(|event| (event.seq, event.received_at, event.body.as_slice()));
        let is_whole = position == Position::Start && !choice.more;
        let history = History::of(&id.id_message, events, is_whole);
        let entry = MessageWithHistory {
            message,
            history,
            next: choice.next(),
        };
        Ok(Some(Single { entry, memory }))
    }

    /// The events of a choice.
    pub(super) async fn read_entity_events(
        &self,
        choice: &Choice,
    ) -> Result<Vec<EntityEvent>, ReadError> {
        let mut lease = self.lease(Files::Both).await?;
        let mut rows = sqlx::query(READ).bind(choice.json()).fetch(&mut *lease);
        let mut events = Vec::with_capacity(choice.keys.len());
        while let Some(row) = rows.try_next().await? {
            events.push(EntityEvent {
                seq: row.try_get("seq")?,
                received_at: row.try_get("received_at")?,
                body: row.try_get("body")?,
            });
        }
        Ok(events)
    }
}

/// The events whose seqs a JSON array has.
pub(super) const READ: &str = "
    SELECT seq, received_at, body FROM event WHERE seq IN (SELECT value FROM json_each(?))";

/// Chooses one message: its seq and its size.
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

/// Chooses events that speak of a message or a call: the seq and the size of each, in the order of
/// their seqs. The first of all is the entity's own.
pub(super) fn events_of(entity: i64, position: Position) -> QueryBuilder<Sqlite> {
    let behind = match position {
        Position::Start => i64::MIN,
        Position::After(seq) => seq,
    };
    let mut sql = QueryBuilder::new("SELECT seq, length(body) FROM event WHERE seq = ");
    sql.push_bind(entity)
        .push(" AND seq > ")
        .push_bind(behind)
        .push(
            " UNION ALL SELECT event.seq, length(body)
             FROM projection.mention CROSS JOIN event ON event.seq = mention.seq
             WHERE mention.entity = ",
        )
        .push_bind(entity)
        .push(" AND mention.seq > ")
        .push_bind(behind)
        // One more, to see whether there are more.
        .push(" LIMIT ")
        .push_bind(i64::from(PAGE_EVENTS) + 1);
    sql
}
