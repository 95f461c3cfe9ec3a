//! Reads which private chats GREEN-API is to be asked about.

use sqlx::Row;

use super::reader::{Files, Reader};
use crate::clock::UnixMillis;
use crate::store::error::ReadError;
use crate::store::projection::TermKind;

/// Selects the `@lid` chats of an account whose other identifier is not known, the one with the newest message first.
/// One that was asked about in the future counts too: the clock was set back.
pub(super) const UNKNOWN: &str = "
    SELECT term.value AS chat
    FROM projection.chat AS entry
    CROSS JOIN projection.term ON term.id = entry.chat
    LEFT JOIN contact ON contact.id_instance = entry.id_instance AND contact.chat = term.value
    WHERE entry.id_instance = ?1 AND term.value GLOB '*@lid' AND contact.other IS NULL
      AND (contact.asked_at IS NULL OR contact.asked_at <= ?2 OR contact.asked_at > ?3)
      AND NOT EXISTS (SELECT 1 FROM projection.alias
                      WHERE alias.id_instance = entry.id_instance AND alias.chat = entry.chat)
    ORDER BY entry.newest DESC LIMIT ?4";

/// Selects the chats that are not in the projection, of all accounts.
pub(super) const GONE: &str = "
    SELECT contact.id_instance AS id_instance, contact.chat AS chat FROM contact
    WHERE NOT EXISTS (
        SELECT 1 FROM projection.term
        CROSS JOIN projection.chat AS entry
          ON entry.id_instance = contact.id_instance AND entry.chat = term.id
        WHERE term.kind = ?1 AND term.value = contact.chat)
    LIMIT ?2";

impl Reader {
    /// At most `limit` `@lid` chats of an account whose other identifier is not known, and about which GREEN-API was
    /// not asked between `before` and `now`. The caller waits for the projection before.
    pub(in crate::store) async fn unknown_contacts(
        &self,
        id_instance: i64,
        (before, now): (UnixMillis, UnixMillis),
        limit: u32,
    ) -> Result<Vec<String>, ReadError> {
        let rows = sqlx::query(UNKNOWN)
            .bind(id_instance)
            .bind(before.0)
            .bind(now.0)
            .bind(limit)
            .fetch_all(&mut *self.lease(Files::Both).await?)
            .await;
        let rows = self.check_derived(rows.map_err(ReadError::from))?;
        let chats = rows.iter().map(|row| row.try_get("chat"));
        Ok(chats.collect::<Result<_, _>>()?)
    }

    /// At most `limit` chats that GREEN-API was asked about and that have no messages any more. The caller waits for
    /// the projection before.
    pub(in crate::store) async fn gone_contacts(
        &self,
        limit: u32,
    ) -> Result<Vec<(i64, String)>, ReadError> {
        let rows = sqlx::query(GONE)
            .bind(TermKind::Chat as i64)
            .bind(limit)
            .fetch_all(&mut *self.lease(Files::Both).await?)
            .await;
        let rows = self.check_derived(rows.map_err(ReadError::from))?;
        let chats = rows
            .iter()
            .map(|row| Ok((row.try_get("id_instance")?, row.try_get("chat")?)));
        Ok(chats.collect::<Result<_, sqlx::Error>>()?)
    }
}
