//! Aliases: private chats of one person. WhatsApp identifies a person by the phone number (`@c.us`)
//! or by an identifier that hides it (`@lid`), and some events show that both belong to one person.

use rusqlite::{Result, params};

use super::TermKind;
use super::evidence::{Evidence, FoundAlias};
use super::find::Identity;
use super::projector::{ParsedEvent, Projector};
use crate::model::{PrivateKind, canonical_chat, differ_in_kind};
use crate::notification::Notification;

impl Projector<'_> {
    /// Finds the aliases that one event shows: the sender in a private chat, and the participant of
    /// a quoted message.
    pub(super) fn find_aliases(&mut self, event: &ParsedEvent<'_>) -> Result<()> {
        let columns = &event.row.columns;
        let (Some(id_instance), Some(chat_id)) = (columns.id_instance, event.chat) else {
            return Ok(());
        };
        if PrivateKind::of(chat_id).is_none() {
            return Ok(());
        }
        if let (Notification::IncomingMessageReceived(_), Some(sender)) =
            (event.notification, columns.sender.as_deref())
        {
            let sender = canonical_chat(sender);
            if differ_in_kind(chat_id, &sender) {
                let chat = self.terms.id(TermKind::Chat, chat_id)?;
                let evidence = Evidence {
                    id_instance,
                    key: 0,
                    seq: event.row.seq,
                };
                self.are_one_person(evidence, (chat, chat_id), &sender)?;
            }
        }
        let content = event.content;
        if let (Some(quoted), Some(participant)) = (content.quoted, content.quoted_participant)
            && differ_in_kind(chat_id, &canonical_chat(participant))
        {
            let identity = Identity::new(false, id_instance, quoted);
            return self.insert_hint(&identity, chat_id, event.row.seq);
        }
        Ok(())
    }

    /// Records that a message was quoted which may be in another chat of the same person.
    fn insert_hint(&mut self, quoted: &Identity<'_>, chat_id: &str, seq: i64) -> Result<()> {
        let chat = self.terms.id(TermKind::Chat, chat_id)?;
        self.projection
            .prepare_cached(
                "INSERT INTO hint VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET seq = excluded.seq",
            )?
            .execute(params![
                quoted.key,
                quoted.id_instance,
                quoted.id_message,
                chat,
                seq
            ])?;
        self.has_hints = true;
        let (_, others) = self.find(quoted, Some(chat), None)?;
        self.compare_chats(quoted.evidence(seq), (chat, chat_id), &others)
    }

    /// Compares the chat of a new message with the other chats that contain or quote a message with
    /// the same identifier.
    pub(super) fn find_chats_of_one_person(
        &mut self,
        identity: &Identity<'_>,
        chat: (i64, &str),
        others: &[i64],
        seq: i64,
    ) -> Result<()> {
        if PrivateKind::of(chat.1).is_none() {
            return Ok(());
        }
        self.compare_chats(identity.evidence(seq), chat, others)?;
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
        self.compare_chats(identity.evidence(seq), chat, &quoting)
    }

    fn compare_chats(
        &mut self,
        evidence: Evidence,
        chat: (i64, &str),
        others: &[i64],
    ) -> Result<()> {
        for other in others {
            let other: String = self
                .projection
                .prepare_cached("SELECT value FROM term WHERE id = ?1")?
                .query_row([other], |row| row.get(0))?;
            self.are_one_person(evidence, chat, &other)?;
        }
        Ok(())
    }

    /// Records two private chats as aliases if one is `@c.us` and the other `@lid`.
    pub(super) fn are_one_person(
        &mut self,
        evidence: Evidence,
        (chat, chat_id): (i64, &str),
        other_id: &str,
    ) -> Result<()> {
        if !differ_in_kind(chat_id, other_id) {
            return Ok(());
        }
        let other = self.terms.id(TermKind::Chat, other_id)?;
        for (chat, other) in [(chat, other), (other, chat)] {
            let found = FoundAlias {
                id_instance: evidence.id_instance,
                chat,
                other,
                key: evidence.key,
            };
            let seq = self.aliases.entry(found).or_insert(0);
            *seq = evidence.seq.max(*seq);
        }
        Ok(())
    }

    /// Writes the aliases found so far.
    pub(super) fn write_aliases(&self) -> Result<()> {
        for (alias, seq) in &self.aliases {
            self.projection
                .prepare_cached(
                    "INSERT INTO alias VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)",
                )?
                .execute([alias.id_instance, alias.chat, alias.other, alias.key, *seq])?;
        }
        Ok(())
    }
}
