//! Aliases: private chats of one person. WhatsApp identifies a person by the phone number (`@c.us`)
//! or by an identifier that hides it (`@lid`), and some events show that both belong to one person.

use rusqlite::{Result, params};

use super::TermKind;
use super::find::Identity;
use super::projector::Projector;
use super::row::Row;
use crate::model::{Content, PrivateKind, canonical_chat, differ_in_kind};
use crate::notification::Notification;

impl Projector<'_> {
    /// Finds the aliases that one event shows: the sender in a private chat, and the participant of
    /// a quoted message.
    pub(super) fn find_aliases(
        &mut self,
        row: &Row,
        chat: Option<&str>,
        notification: &Notification<'_>,
    ) -> Result<()> {
        let (Some(id_instance), Some(chat_id)) = (row.columns.id_instance, chat) else {
            return Ok(());
        };
        if PrivateKind::of(chat_id).is_none() {
            return Ok(());
        }
        if let (Notification::IncomingMessageReceived(_), Some(sender)) =
            (notification, row.columns.sender.as_deref())
        {
            let sender = canonical_chat(sender);
            if differ_in_kind(chat_id, &sender) {
                let chat = self.terms.id(TermKind::Chat, chat_id)?;
                self.are_one_person(id_instance, (chat, chat_id), &sender)?;
            }
        }
        let content = Content::of(notification);
        if let (Some(quoted), Some(participant)) = (content.quoted, content.quoted_participant)
            && differ_in_kind(chat_id, &canonical_chat(participant))
        {
            let identity = Identity::new(false, id_instance, quoted);
            return self.insert_hint(&identity, chat_id);
        }
        Ok(())
    }

    /// Records that a message was quoted which may be in another chat of the same person.
    fn insert_hint(&mut self, quoted: &Identity<'_>, chat_id: &str) -> Result<()> {
        let chat = self.terms.id(TermKind::Chat, chat_id)?;
        self.projection
            .prepare_cached("INSERT OR IGNORE INTO hint VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![
                quoted.key,
                quoted.id_instance,
                quoted.id_message,
                chat
            ])?;
        self.has_hints = true;
        let (_, others) = self.find(quoted, Some(chat), None)?;
        self.compare_chats(quoted.id_instance, (chat, chat_id), &others)
    }

    /// Compares the chat of a new message with the other chats that contain or quote a message with
    /// the same identifier.
    pub(super) fn find_chats_of_one_person(
        &mut self,
        identity: &Identity<'_>,
        chat: (i64, &str),
        others: &[i64],
    ) -> Result<()> {
        if PrivateKind::of(chat.1).is_none() {
            return Ok(());
        }
        self.compare_chats(identity.id_instance, chat, others)?;
        if !self.has_hints {
            return Ok(());
        }
        let quoting: Vec<i64> = self
            .projection
            .prepare_cached(
                "SELECT chat FROM hint WHERE key = ?1 AND id_instance = ?2 AND id_message = ?3",
            )?
            .query_map(identity.parameters(), |row| row.get(0))?
            .collect::<Result<_>>()?;
        self.compare_chats(identity.id_instance, chat, &quoting)
    }

    fn compare_chats(&mut self, id_instance: i64, chat: (i64, &str), others: &[i64]) -> Result<()> {
        for other in others {
            let other: String = self
                .projection
                .prepare_cached("SELECT value FROM term WHERE id = ?1")?
                .query_row([other], |row| row.get(0))?;
            self.are_one_person(id_instance, chat, &other)?;
        }
        Ok(())
    }

    /// Records two private chats as aliases if one is `@c.us` and the other `@lid`.
    pub(super) fn are_one_person(
        &mut self,
        id_instance: i64,
        (chat, chat_id): (i64, &str),
        other_id: &str,
    ) -> Result<()> {
        if !differ_in_kind(chat_id, other_id) {
            return Ok(());
        }
        let other = self.terms.id(TermKind::Chat, other_id)?;
        for (chat, other) in [(chat, other), (other, chat)] {
            self.projection
                .prepare_cached("INSERT OR IGNORE INTO alias VALUES (?1, ?2, ?3)")?
                .execute([id_instance, chat, other])?;
        }
        Ok(())
    }
}
