//! Calls. Events of one call are joined by its identifier, even where they name different callers.

use rusqlite::{Result, params};

use super::TermKind;
use super::entity::{EntityKind, Entry};
use super::evidence::Evidence;
use super::find::{Entity, Identity};
use super::projector::{Measure, ParsedEvent, Projector};
use crate::model::{Role, call_rank, canonical_chat};

impl Projector<'_> {
    /// Projects an event of a call.
    pub(super) fn call(
        &mut self,
        event: &ParsedEvent<'_>,
        id_instance: i64,
        identity: Option<&Identity<'_>>,
    ) -> Result<()> {
        // For a call from the account, the chat stands in for the sender.
        let from = event
            .row
            .columns
            .sender
            .as_deref()
            .or(event.row.columns.chat_id.as_deref());
        let from = from.map(canonical_chat);
        let chat = match &from {
            Some(from) => Some(self.terms.id(TermKind::Chat, from)?),
            None => None,
        };
        let found = match identity {
            Some(identity) => self.find(identity, None, event.digest)?.0,
            None => None,
        };
        let seq = found.as_ref().map_or(event.row.seq, |found| found.seq);
        if let Some(from) = &from {
            // A filter by chat finds the call under each of its callers.
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
            self.insert(event, Role::Call, &entry)?;
            self.add(Measure::Calls, id_instance, "", 1);
            self.terms.post(TermKind::Call, "", seq)?;
            return self
                .terms
                .post(TermKind::Call, &id_instance.to_string(), seq);
        };
        self.insert_mention(event, &entity)?;
        if let (Some(from), Some(chat)) = (&from, chat)
            && entity.chat != Some(chat)
        {
            let evidence = Evidence {
                id_instance,
                key: identity.map_or(0, |identity| identity.key),
                seq: event.row.seq,
            };
            self.compare_callers(evidence, (chat, from), entity.seq)?;
        }
        self.merge_call(event, &entity)
    }

    fn merge_call(&self, event: &ParsedEvent<'_>, entity: &Entity) -> Result<()> {
        let Some(status) = event.notification.status_name() else {
            return Ok(());
        };
        let is_better = match (&entity.status, entity.status_seq) {
            (Some(other), Some(other_seq)) => {
                let (new, old) = (call_rank(status), call_rank(other));
                new > old || (new == old && event.row.moment() > self.moment(other_seq)?)
            }
            _ => true,
        };
        if is_better {
            self.projection
                .prepare_cached("UPDATE entity SET status = ?2, status_seq = ?3 WHERE seq = ?1")?
                .execute(params![entity.seq, status, event.row.seq])?;
        }
        Ok(())
    }

    /// Records aliases between the callers of one call: a person may call under two identifiers.
    fn compare_callers(
        &mut self,
        evidence: Evidence,
        from: (i64, &str),
        entity: i64,
    ) -> Result<()> {
        for seq in self.first_events(entity)? {
            let sender: Option<String> = self
                .events
                .prepare_cached("SELECT coalesce(sender, chat_id) FROM event WHERE seq = ?1")?
                .query_row([seq], |row| row.get(0))
                .unwrap_or_default();
            if let Some(sender) = sender {
                self.are_one_person(evidence, from, &canonical_chat(&sender))?;
            }
        }
        Ok(())
    }

    /// The first 256 events that refer to an entity. The limit is a literal (see `statements.rs`).
    fn first_events(&self, entity: i64) -> Result<Vec<i64>> {
        self.projection
            .prepare_cached(
                "SELECT ?1 UNION ALL SELECT seq FROM mention WHERE entity = ?1 LIMIT 256",
            )?
            .query_map([entity], |row| row.get(0))?
            .collect()
    }
}
