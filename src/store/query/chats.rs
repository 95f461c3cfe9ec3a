//! Reads a page of chats, starting with the chat that has the newest message.

use sqlx::{QueryBuilder, Sqlite};

use super::messages::{PAGE_BYTES, SIZE, SOURCES};
use super::page::{Page, Position};
use super::plan::Conditions;
use super::reader::{Files, Reader};
use crate::model::Chat;
use crate::store::error::ReadError;

/// A query for a page of chats.
#[derive(Debug, Clone)]
pub struct ChatQuery {
    /// Only chats of this `idInstance`.
    pub instance: Option<i64>,
    /// The position where the page starts: after the chat whose newest message has this seq.
    pub position: Position,
    /// Maximum number of chats.
    pub limit: u32,
}

impl Reader {
    /// Reads a page of chats.
    pub async fn chats(&self, query: &ChatQuery) -> Result<Page<Chat>, ReadError> {
        let read = self.list_chats(query).await;
        self.check_derived(read)
    }

    async fn list_chats(&self, query: &ChatQuery) -> Result<Page<Chat>, ReadError> {
        let choice = self
            .choose(Files::Both, &mut list(query), query.limit, PAGE_BYTES)
            .await?;
        let (read, memory) = self.read_messages(&choice).await?;
        let chats = read.into_iter().filter_map(|(last_message, chat_name)| {
            Some(Chat {
                id_instance: last_message.id_instance,
                chat_id: last_message.chat_id.clone()?,
                alias_of: last_message.alias_of.clone(),
                chat_name,
                last_message,
            })
        });
        Ok(Page {
            entries: chats.collect(),
            next: choice.next(),
            memory,
        })
    }
}

/// Builds the query that selects a page: the seq of the newest message of each chat, and its size.
pub(super) fn list(query: &ChatQuery) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT entry.newest, ");
    sql.push(SIZE)
        .push(
            " FROM projection.chat AS entry
          CROSS JOIN projection.entity ON entity.seq = entry.newest",
        )
        .push(SOURCES);
    let mut conditions = Conditions::new();
    if let Some(instance) = query.instance {
        conditions
            .add(&mut sql, "entry.id_instance = ")
            .push_bind(instance);
    }
    if let Position::After(seq) = query.position {
        conditions.add(&mut sql, "entry.newest < ").push_bind(seq);
    }
    sql.push(" ORDER BY entry.newest DESC LIMIT ")
        .push_bind(i64::from(query.limit) + 1);
    sql
}
