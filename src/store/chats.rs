//! Reads chats, that with the newest message first.

use sqlx::{QueryBuilder, Row, Sqlite};

use super::messages::{COLUMNS, SOURCES, message};
use super::selection::Conditions;
use super::{Page, Position, ReadError, Reader};
use crate::view::Chat;

/// What to read.
#[derive(Debug, Clone)]
pub struct ChatQuery {
    /// Only of this `idInstance`.
    pub instance: Option<i64>,
    /// From where on: behind a chat whose newest message had this place.
    pub position: Position,
    /// How many at most.
    pub limit: u32,
}

impl Reader {
    /// A page of chats.
    pub async fn chats(&self, query: &ChatQuery) -> Result<Page<Chat>, ReadError> {
        let mut chats = Vec::new();
        for row in list(query).build().fetch_all(&self.pool).await? {
            let (last_message, chat_name, _) = message(&row)?;
            let chat = Chat {
                id_instance: row.try_get("id_instance")?,
                chat_id: row.try_get("chat_id")?,
                chat_name,
                last_message,
            };
            chats.push((chat.last_message.seq, chat));
        }
        Ok(Page::of(chats, query.limit))
    }
}

pub(super) fn list(query: &ChatQuery) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(COLUMNS);
    sql.push(
        " FROM projection.chat AS entry
          CROSS JOIN projection.subject ON subject.seq = entry.newest",
    )
    .push(SOURCES);
    let mut conditions = Conditions::new();
    if let Some(instance) = query.instance {
        conditions
            .add(&mut sql, "entry.id_instance = ")
            .push_bind(instance);
    }
    if let Position::Behind(place) = query.position {
        conditions.add(&mut sql, "entry.newest < ").push_bind(place);
    }
    sql.push(" ORDER BY entry.newest DESC LIMIT ")
        .push_bind(i64::from(query.limit) + 1);
    sql
}
