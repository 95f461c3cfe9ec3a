//! Calls: joined by their identifier, whoever their events say has called.

use rusqlite::{Result, params};

use super::TermKind;
use super::entity::{EntityKind, Entry};
use super::find::{Entity, Identity};
use super::projector::{Measure, Projector, Said};
use crate::model::{Role, call_rank, canonical_chat};

/// Events of one call whose callers are compared. Further ones give no aliases.
const MAX_COMPARED: i64 = 256;

impl Projector<'_> {
    /// An event of a call.
    pub(super) fn call(
        &mut self,
        said: &Said<'_>,
        id_instance: i64,
        identity: Option<&Identity<'_>>,
    ) -> Result<()> {
        // Of a call from the account it is the chat.
        let from = said.row.sender.as_deref().or(said.row.chat_id.as_deref());
        let from = from.map(canonical_chat);
        let chat = match &from {
            Some(from) => Some(self.terms.id(TermKind::Chat, from)?),
            None => None,
        };
        let found = match identity {
            Some(identity) => self.find(identity, None, said.digest)?.0,
            None => None,
        };
        let seq = found.as_ref().map_or(said.row.seq, |found| found.seq);
        if let Some(from) = &from {
            // A call is found by each of its callers.
            self.terms.post(TermKind::Chat, from, seq)?;
        }
        let Some(entity) = found else {
            let entry = Entry {
                kind: EntityKind::Call,
                key: identity.map(|identity| identity.key),
                id_instance,
                chat,
                id_message: identity.map(|identity| identity.id_message),
            };
            self.insert(said, Role::Call, &entry)?;
            self.add(Measure::Calls, id_instance, "", 1);
            self.terms.post(TermKind::Call, "", seq)?;
            return self
                .terms
                .post(TermKind::Call, &id_instance.to_string(), seq);
        };
        self.insert_mention(said, &entity)?;
        if let (Some(from), Some(chat)) = (&from, chat)
            && entity.chat != Some(chat)
        {
            self.compare_callers(id_instance, (chat, from), entity.seq)?;
        }
        self.merge_call(said, &entity)
    }

    fn merge_call(&self, said: &Said<'_>, entity: &Entity) -> Result<()> {
        let (Some(status), Some(other), Some(other_seq)) = (
            said.notification.status_name(),
            &entity.status,
            entity.status_seq,
        ) else {
            return Ok(());
        };
        let (new, old) = (call_rank(status), call_rank(other));
        if new > old || (new == old && said.row.moment() > self.moment(other_seq)?) {
            self.projection
                .prepare_cached("UPDATE entity SET status = ?2, status_seq = ?3 WHERE seq = ?1")?
                .execute(params![entity.seq, status, said.row.seq])?;
        }
        Ok(())
    }

    /// One person may call under two identifiers.
    fn compare_callers(&mut self, id_instance: i64, from: (i64, &str), entity: i64) -> Result<()> {
        for seq in self.first_events(entity, MAX_COMPARED)? {
            let sender: Option<String> = self
                .events
                .prepare_cached("SELECT coalesce(sender, chat_id) FROM event WHERE seq = ?1")?
                .query_row([seq], |row| row.get(0))
                .unwrap_or_default();
            if let Some(sender) = sender {
                self.are_one_person(id_instance, from, &canonical_chat(&sender))?;
            }
        }
        Ok(())
    }

    /// The first events that speak of a entity.
    fn first_events(&self, entity: i64, limit: i64) -> Result<Vec<i64>> {
        self.projection
            .prepare_cached(
                "SELECT ?1 UNION ALL SELECT seq FROM mention WHERE entity = ?1 LIMIT ?2",
            )?
            .query_map([entity, limit], |row| row.get(0))?
            .collect()
    }
}
