//! Finds which messages and calls are stored, for a comparison with GREEN-API's journals.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use sqlx::Row;

use super::reader::{Files, Reader};
use crate::model::{canonical_chat, differ_in_kind};
use crate::store::error::ReadError;
use crate::store::projection::{EntityKind, key};

/// A message or a call of an account, as a journal names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Named {
    /// Whether it is a call.
    pub is_call: bool,
    /// The chat, in any of its forms.
    pub chat_id: String,
    /// `idMessage`.
    pub id_message: String,
}

/// What is stored of a message or a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Whether a notification of its own is stored: for a message not only statuses, edits or reactions that name it.
    pub has_own: bool,
    /// Its status.
    pub status: Option<String>,
}

/// Selects the messages, notices and calls with the keys in a JSON array, whatever their chats.
pub(super) const FIND: &str = "
    SELECT entity.key AS key, entity.kind AS kind, entity.id_message AS id_message,
           entity.status AS status, chat.value AS chat_id,
           EXISTS (SELECT 1 FROM event WHERE event.seq = abs(entity.seq)
                   AND event.id_message = entity.id_message
                   AND event.type_webhook IN ('incomingMessageReceived', 'outgoingMessageReceived',
                                              'outgoingAPIMessageReceived'))
           OR EXISTS (SELECT 1 FROM projection.mention
                      CROSS JOIN event ON event.seq = mention.seq
                      WHERE mention.entity = entity.seq
                      AND event.id_message = entity.id_message
                      AND event.type_webhook IN ('incomingMessageReceived', 'outgoingMessageReceived',
                                                 'outgoingAPIMessageReceived')) AS has_own
    FROM json_each(?) AS wanted
    CROSS JOIN projection.entity ON entity.key = wanted.value
    LEFT JOIN projection.term AS chat ON chat.id = entity.chat
    WHERE entity.id_instance = ?";

/// An entity that has a wanted key.
struct Found {
    is_call: bool,
    id_message: Option<String>,
    chat_id: Option<String>,
    known: Known,
}

impl Found {
    /// Whether it is the named message or call. A private chat may be stored under the person's other identifier.
    fn is(&self, named: &Named) -> bool {
        let chat = canonical_chat(&named.chat_id);
        let is_chat = |stored: &String| *stored == chat || differ_in_kind(stored, &chat);
        self.is_call == named.is_call
            && self.id_message.as_ref() == Some(&named.id_message)
            && (named.is_call || self.chat_id.as_ref().is_some_and(is_chat))
    }
}

impl Reader {
    /// What is stored of each of these messages and calls of an account, in their order. The caller waits for the
    /// projection before.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn known(&self, id_instance: i64, named: &[Named]) -> Result<Vec<Known>, ReadError> {
        let read = self.find_known(id_instance, named).await;
        self.check_derived(read)
    }

    async fn find_known(&self, id_instance: i64, named: &[Named]) -> Result<Vec<Known>, ReadError> {
        let key_of = |named: &Named| key(named.is_call, id_instance, &named.id_message);
        let keys: Vec<_> = named
            .iter()
            .map(|named| key_of(named).to_string())
            .collect();
        let mut found = HashMap::<i64, Vec<Found>>::new();
        let mut lease = self.lease(Files::Both).await?;
        let query = sqlx::query(FIND).bind(format!("[{}]", keys.join(",")));
        let mut rows = query.bind(id_instance).fetch(&mut *lease);
        while let Some(row) = rows.try_next().await? {
            let kind: i64 = row.try_get("kind")?;
            found.entry(row.try_get("key")?).or_default().push(Found {
                is_call: kind == EntityKind::Call as i64,
                id_message: row.try_get("id_message")?,
                chat_id: row.try_get("chat_id")?,
                known: Known {
                    has_own: row.try_get("has_own")?,
                    status: row.try_get("status")?,
                },
            });
        }
        let known = named.iter().map(|named| {
            let entities = found.get(&key_of(named)).into_iter().flatten();
            let mut known = Known::default();
            for entity in entities.filter(|entity| entity.is(named)) {
                known.has_own |= entity.known.has_own;
                known.status = entity.known.status.clone().or(known.status);
            }
            known
        });
        Ok(known.collect())
    }
}
