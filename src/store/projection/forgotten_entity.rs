//! Messages and calls that a forgotten event mentions: they are removed, and the events that remain of them are
//! projected again as if they were the first ones.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Result};

use super::entity::EntityKind;
use super::projector::{Measure, ParsedEvent, Projector};
use super::row::Row;
use super::slice::READ_ONE;
use super::touched::{OwnedIdentity, Touched};
use crate::model::{Content, Role, canonical_chat, content_digest, mentions};
use crate::notification;

/// An entity that is removed.
struct Removed {
    seq: i64,
    kind: i64,
    id_instance: i64,
    chat: Option<i64>,
    status: Option<String>,
    /// Whether its own event has a digest.
    has_digest: bool,
}

impl Removed {
    fn read(row: &rusqlite::Row<'_>) -> Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            kind: row.get(1)?,
            id_instance: row.get(2)?,
            chat: row.get(3)?,
            status: row.get(4)?,
            has_digest: row.get(5)?,
        })
    }
}

/// Removes the entity of the event `seq` that no other event mentions, if there is one.
pub(super) fn remove_lone(
    projector: &mut Projector<'_>,
    seq: i64,
    chats: &mut BTreeSet<(i64, i64)>,
) -> Result<()> {
    let found = projector
        .projection
        .prepare_cached(
            "SELECT seq, kind, id_instance, chat, status, digest IS NOT NULL
             FROM entity WHERE seq = ?1 AND key IS NULL",
        )?
        .query_row([seq], Removed::read)
        .optional()?;
    match found {
        Some(entity) => projector.remove(&entity, chats),
        None => Ok(()),
    }
}

/// Removes every entity of these identities. Returns the remaining events that mention them.
pub(super) fn remove(
    projector: &mut Projector<'_>,
    touched: &mut Touched,
) -> Result<BTreeSet<i64>> {
    let mut remaining = BTreeSet::new();
    for owned in &touched.identities {
        let identity = owned.identity();
        let entities: Vec<Removed> = projector
            .projection
            .prepare_cached(
                "SELECT seq, kind, id_instance, chat, status, digest IS NOT NULL
                 FROM entity WHERE key = ?1 AND id_instance = ?2 AND id_message = ?3",
            )?
            .query_map(identity.parameters(), Removed::read)?
            .collect::<Result<_>>()?;
        for entity in &entities {
            let mut events: Vec<(i64, bool)> = projector
                .projection
                .prepare_cached("SELECT seq, digest IS NOT NULL FROM mention WHERE entity = ?1")?
                .query_map([entity.seq], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_>>()?;
            events.push((entity.seq.abs(), entity.seq > 0 || entity.has_digest));
            projector.keep(&events, &mut remaining)?;
            projector.remove(entity, &mut touched.chats)?;
        }
        if projector.has_chatless {
            let statuses: Vec<(i64, bool)> = projector
                .projection
                .prepare_cached(
                    "DELETE FROM chatless WHERE key = ?1 AND id_instance = ?2 AND id_message = ?3
                     RETURNING seq, digest IS NOT NULL",
                )?
                .query_map(identity.parameters(), |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_>>()?;
            projector.keep(&statuses, &mut remaining)?;
        }
        let aliases: Vec<i64> = projector
            .projection
            .prepare_cached("DELETE FROM alias WHERE key = ?1 AND key <> 0 RETURNING chat")?
            .query_map([identity.key], |row| row.get(0))?
            .collect::<Result<_>>()?;
        touched.terms.extend(aliases);
    }
    Ok(remaining)
}

/// Projects the mentions of these identities by the events at `seqs`, in this order.
pub(super) fn project_again(
    projector: &mut Projector<'_>,
    identities: &BTreeSet<OwnedIdentity>,
    seqs: &BTreeSet<i64>,
) -> Result<()> {
    for seq in seqs {
        let found = projector
            .events
            .prepare_cached(READ_ONE)?
            .query_row([seq], |row| Row::read(row, projector.events));
        // An event that is no longer readable is skipped, as it would be if everything was derived again.
        let Ok(row) = found else {
            continue;
        };
        let name = row.columns.type_webhook.as_deref();
        let Some(notification) = name.and_then(|name| notification::read(name, &row.body)) else {
            continue;
        };
        let Some(id_instance) = row.columns.id_instance else {
            continue;
        };
        let chat = row.columns.chat_id.as_deref().map(canonical_chat);
        let content = Content::of(&notification);
        let types = (name, row.columns.type_message.as_deref());
        let mut event = ParsedEvent {
            row: &row,
            notification: &notification,
            content: &content,
            chat: chat.as_deref(),
            digest: None,
        };
        event.digest = Some(content_digest(types, event.chat, &notification, &content));
        for mention in mentions(&notification) {
            let is_call = mention.role == Role::Call;
            let is_touched = mention.id_message.is_some_and(|id| {
                identities.contains(&OwnedIdentity::new(is_call, id_instance, id))
            });
            if is_touched {
                projector.mention(&event, mention)?;
            }
            // Only the first mention decides whether an event is a duplicate.
            event.digest = None;
        }
    }
    Ok(())
}

impl Projector<'_> {
    /// Collects the events that remain, and forgets which of them are duplicates.
    fn keep(&self, events: &[(i64, bool)], remaining: &mut BTreeSet<i64>) -> Result<()> {
        for &(seq, has_digest) in events.iter().filter(|(seq, _)| *seq > self.forgotten) {
            remaining.insert(seq);
            if has_digest {
                self.projection
                    .prepare_cached("DELETE FROM duplicate WHERE seq = ?1")?
                    .execute([seq])?;
            }
        }
        Ok(())
    }

    /// Removes an entity with its words and mentions.
    fn remove(&mut self, entity: &Removed, chats: &mut BTreeSet<(i64, i64)>) -> Result<()> {
        for sql in [
            "DELETE FROM entity WHERE seq = ?1",
            "DELETE FROM mention WHERE entity = ?1",
            "DELETE FROM word WHERE rowid = ?1",
        ] {
            self.projection.prepare_cached(sql)?.execute([entity.seq])?;
        }
        if entity.kind == EntityKind::Call as i64 {
            self.add(Measure::Calls, entity.id_instance, "", -1);
            return Ok(());
        }
        if let Some(status) = &entity.status {
            self.terms.unpost_status(status, entity.seq)?;
        }
        if entity.kind == EntityKind::Message as i64 {
            self.add(Measure::Messages, entity.id_instance, "", -1);
            chats.extend(entity.chat.map(|chat| (entity.id_instance, chat)));
        }
        Ok(())
    }
}
