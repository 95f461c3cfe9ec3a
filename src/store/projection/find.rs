//! Finds an entity (a message, call or notice) by its identifier.

use rusqlite::{Result, Statement};
use sha2::{Digest, Sha256};

use super::evidence::Evidence;
use super::projector::Projector;
use super::statements::MAX_FOUND;

/// Selects the entity with one identifier in one chat.
const FIND_IN_CHAT: &str = "
    SELECT seq, kind, chat, status, content_seq, edit_seq, extra, status_seq, deletion_seq, NULL
    FROM entity WHERE key = ?1 AND id_instance = ?2 AND id_message = ?3 AND chat = ?4";

/// The identity of a message or a call, without its chat.
#[derive(Clone, Copy)]
pub(super) struct Identity<'m> {
    pub(super) key: i64,
    pub(super) id_instance: i64,
    pub(super) id_message: &'m str,
}

impl<'m> Identity<'m> {
    pub(super) fn new(is_call: bool, id_instance: i64, id_message: &'m str) -> Self {
        Self {
            key: key(is_call, id_instance, id_message),
            id_instance,
            id_message,
        }
    }

    /// Evidence that the event `seq` gives: this message or call is in two chats.
    pub(super) fn evidence(&self, seq: i64) -> Evidence {
        Evidence {
            id_instance: self.id_instance,
            key: self.key,
            seq,
        }
    }

    pub(super) fn parameters(&self) -> (i64, i64, &str) {
        (self.key, self.id_instance, self.id_message)
    }
}

/// An entity as it is stored.
#[derive(Clone)]
pub(super) struct Entity {
    pub(super) seq: i64,
    pub(super) kind: i64,
    pub(super) chat: Option<i64>,
    pub(super) status: Option<String>,
    pub(super) content_seq: Option<i64>,
    pub(super) edit_seq: Option<i64>,
    pub(super) extra: Option<String>,
    pub(super) status_seq: Option<i64>,
    pub(super) deletion_seq: Option<i64>,
    /// The earliest of the entity's events that has the digest given to the lookup.
    pub(super) same: Option<i64>,
}

impl Entity {
    fn read(row: &rusqlite::Row<'_>) -> Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            kind: row.get(1)?,
            chat: row.get(2)?,
            status: row.get(3)?,
            content_seq: row.get(4)?,
            edit_seq: row.get(5)?,
            extra: row.get(6)?,
            status_seq: row.get(7)?,
            deletion_seq: row.get(8)?,
            same: row.get(9)?,
        })
    }

    /// The seqs in `extra`.
    pub(super) fn extra_seqs(&self) -> Vec<i64> {
        let extra = self.extra.as_deref().unwrap_or("[]");
        serde_json::from_str(extra).unwrap_or_default()
    }
}

impl Projector<'_> {
    /// Looks up an identifier. Returns the entity in `chat` (for a call, the only entity) and the
    /// other chats that have an entity with this identifier.
    pub(super) fn find(
        &mut self,
        identity: &Identity<'_>,
        chat: Option<i64>,
        digest: Option<i64>,
    ) -> Result<(Option<Entity>, Vec<i64>)> {
        let (key, id_instance, id_message) = identity.parameters();
        let mut rows = self
            .statements
            .find_entity
            .query((key, id_instance, id_message, digest))?;
        let (mut found, mut others, mut count) = (None, Vec::new(), 0);
        while let Some(row) = rows.next()? {
            count += 1;
            let entity = Entity::read(row)?;
            if chat.is_none() || entity.chat == chat {
                found = Some(entity);
            } else {
                others.extend(entity.chat);
            }
        }
        drop(rows);
        if found.is_none() && count == MAX_FOUND {
            let mut statement = self.projection.prepare_cached(FIND_IN_CHAT)?;
            found = in_chat(&mut statement, (key, id_instance, id_message, chat))?;
        }
        Ok((found, others))
    }
}

fn in_chat(
    statement: &mut Statement<'_>,
    parameters: (i64, i64, &str, Option<i64>),
) -> Result<Option<Entity>> {
    let mut rows = statement.query(parameters)?;
    rows.next()?.map(Entity::read).transpose()
}

/// The lookup key of a message or a call: a number takes less space in an index than the fields it
/// is computed from. A lookup compares those fields too. The chat is not part of the key, because
/// events of one message may name the chat differently or not at all.
pub(in crate::store) fn key(is_call: bool, id_instance: i64, id_message: &str) -> i64 {
    let digest = Sha256::new()
        .chain_update([u8::from(is_call)])
        .chain_update(id_instance.to_be_bytes())
        .chain_update(id_message)
        .finalize();
    i64::from_be_bytes(std::array::from_fn(|index| digest[index]))
}
