//! The chats of one person: a private chat under the phone number (`@c.us`), and one under the identifier that hides
//! it (`@lid`). A filter for one of them finds both, and a message names the other.

use std::collections::HashMap;

use sqlx::Row;

use super::page::Choice;
use super::reader::{Files, Reader};
use crate::model::{PrivateKind, canonical_chat};
use crate::store::error::ReadError;
use crate::store::projection::TermKind;

/// Selects the other chats of a person from one chat in its canonical form, of one account or of all: those that
/// events show, and those that GREEN-API named when it was asked about either chat. Few people have more than one.
pub(super) const OTHERS: &str = "
    SELECT other.value AS other FROM projection.term AS chat
    CROSS JOIN projection.alias ON alias.chat = chat.id AND (?3 IS NULL OR alias.id_instance = ?3)
    CROSS JOIN projection.term AS other ON other.id = alias.other
    WHERE chat.kind = ?1 AND chat.value = ?2
    UNION
    SELECT contact.other FROM projection.instance
    CROSS JOIN contact ON contact.id_instance = instance.id_instance AND contact.chat = ?2
    WHERE contact.other IS NOT NULL AND (?3 IS NULL OR instance.id_instance = ?3)
    UNION
    SELECT contact.chat FROM projection.instance
    CROSS JOIN contact ON contact.id_instance = instance.id_instance AND contact.other = ?2
    WHERE ?3 IS NULL OR instance.id_instance = ?3
    LIMIT 8";

/// Selects the smallest other chats of the same person, for the seq of each message in a JSON array: the one that
/// events show, and those that GREEN-API named when it was asked about either chat.
pub(super) const ALIASES: &str = "
    SELECT entity.seq AS seq,
           (SELECT min(other.value) FROM projection.alias
            CROSS JOIN projection.term AS other ON other.id = alias.other
            WHERE alias.id_instance = entity.id_instance AND alias.chat = entity.chat) AS shown,
           (SELECT contact.other FROM contact
            WHERE contact.id_instance = entity.id_instance AND contact.chat = chat.value) AS told,
           (SELECT min(contact.chat) FROM contact
            WHERE contact.id_instance = entity.id_instance AND contact.other = chat.value) AS told_of
    FROM json_each(?) AS message
    CROSS JOIN projection.entity ON entity.seq = message.value
    LEFT JOIN projection.term AS chat ON chat.id = entity.chat";

impl Reader {
    /// The values that a filter for a chat looks for: the chat as it is given, and the other chats of the same person.
    /// Without a filter, `None` alone.
    pub(super) async fn wanted_chats(
        &self,
        chat: Option<&str>,
        instance: Option<i64>,
    ) -> Result<Vec<Option<String>>, ReadError> {
        let mut wanted = vec![chat.map(str::to_owned)];
        let Some(canonical) = chat.map(canonical_chat) else {
            return Ok(wanted);
        };
        if PrivateKind::of(&canonical).is_some() {
            let rows = sqlx::query(OTHERS)
                .bind(TermKind::Chat as i64)
                .bind(canonical.into_owned())
                .bind(instance)
                .fetch_all(&mut *self.lease(Files::Both).await?)
                .await?;
            for row in rows {
                wanted.push(Some(row.try_get("other")?));
            }
        }
        Ok(wanted)
    }

    /// The other chat of the same person, by the seq of each chosen message. If there are several, the one whose
    /// identifier sorts first.
    pub(super) async fn read_aliases(
        &self,
        choice: &Choice,
    ) -> Result<HashMap<i64, String>, ReadError> {
        let mut lease = self.lease(Files::Both).await?;
        let rows = sqlx::query(ALIASES).bind(choice.json());
        let mut aliases = HashMap::new();
        for row in rows.fetch_all(&mut *lease).await? {
            let others: [Option<String>; 3] = [
                row.try_get("shown")?,
                row.try_get("told")?,
                row.try_get("told_of")?,
            ];
            if let Some(other) = others.into_iter().flatten().min() {
                aliases.insert(row.try_get("seq")?, other);
            }
        }
        Ok(aliases)
    }
}
