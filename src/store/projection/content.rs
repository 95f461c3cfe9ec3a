//! The content of messages: which events their fields come from, and which words a search finds
//! them by.

use std::borrow::Cow;

use rusqlite::{Result, params};

use super::entity::{EntityKind, Entry};
use super::find::{Entity, Identity};
use super::projector::{ParsedEvent, Projector};
use super::words;
use crate::model::{Message, MessageEvents, MessagePlace, Role};

/// The seq of an event, its arrival in milliseconds since 1970, and its body.
type Version = (i64, i64, Vec<u8>);

impl Projector<'_> {
    /// Merges another copy of the message, or an edit, into its entity.
    pub(super) fn merge_version(
        &mut self,
        event: &ParsedEvent<'_>,
        role: Role,
        identity: &Identity<'_>,
        entity: &Entity,
    ) -> Result<()> {
        let row = event.row;
        let relocated;
        let entity = if role == Role::Content && entity.seq < 0 {
            relocated = self.move_to(entity, row.seq)?;
            &relocated
        } else {
            entity
        };
        if role == Role::Content {
            // Filters find the message at the seq of its entity.
            self.post_columns(row, entity.seq)?;
        }
        let mut versions = Vec::new();
        let before: Vec<_> = [entity.content_seq, entity.edit_seq]
            .into_iter()
            .flatten()
            .chain(entity.extra_seqs())
            .collect();
        for seq in &before {
            versions.extend(self.version(*seq)?);
        }
        versions.push((row.seq, row.received_at, row.body.clone()));
        let place = MessagePlace {
            seq: entity.seq,
            id_instance: identity.id_instance,
            chat_id: None,
            id_message: Some(identity.id_message.to_owned()),
            direction: None,
        };
        let (chosen, message) = Message::choose(place, borrowed(&versions));
        let extra = (!chosen.extra.is_empty()).then(|| format!("{:?}", chosen.extra));
        if (chosen.content, chosen.edit, &extra)
            == (entity.content_seq, entity.edit_seq, &entity.extra)
        {
            return Ok(());
        }
        self.projection
            .prepare_cached(
                "UPDATE entity SET content_seq = ?2, edit_seq = ?3, extra = ?4, type_message = ?5,
                     direction = coalesce(?6, direction)
                 WHERE seq = ?1",
            )?
            .execute(params![
                entity.seq,
                chosen.content,
                chosen.edit,
                extra,
                chosen.type_message,
                chosen.direction.map(|direction| direction as i64),
            ])?;
        if entity.kind == EntityKind::Notice as i64 && chosen.content.is_some() {
            self.reveal(identity, entity)?;
        }
        self.projection
            .prepare_cached("DELETE FROM word WHERE rowid = ?1")?
            .execute([entity.seq])?;
        self.write_words(
            identity.id_instance,
            entity.chat,
            entity.seq,
            message.searched(),
        )
    }

    /// Reads an earlier event; `None` if it is no longer readable.
    fn version(&self, seq: i64) -> Result<Option<Version>> {
        let mut statement = self
            .events
            .prepare_cached("SELECT received_at, body, size FROM event WHERE seq = ?1")?;
        let version = statement.query_row([seq], |row| {
            let body = self.events.body(row, (1, 2))?;
            Ok((row.get(0)?, body.map(Cow::into_owned)))
        });
        Ok(version
            .ok()
            .and_then(|(received_at, body)| Some((seq, received_at, body?))))
    }

    /// Indexes the words of a message that has only one event so far.
    pub(super) fn first_words(&mut self, event: &ParsedEvent<'_>, entry: &Entry<'_>) -> Result<()> {
        let row = event.row;
        let content = event.content;
        let plain = [content.text, content.caption, content.file_name];
        if content.contacts.is_empty() && content.catalogue.is_none() {
            return self.write_words(
                entry.id_instance,
                entry.chat,
                row.seq,
                plain.into_iter().flatten(),
            );
        }
        let place = MessagePlace {
            seq: row.seq,
            id_instance: entry.id_instance,
            chat_id: None,
            id_message: None,
            direction: None,
        };
        let events = MessageEvents {
            versions: vec![(row.seq, row.received_at, &row.body)],
            ..MessageEvents::default()
        };
        let (message, _) = Message::new(place, events);
        self.write_words(entry.id_instance, entry.chat, row.seq, message.searched())
    }

    fn write_words<'t>(
        &mut self,
        id_instance: i64,
        chat: Option<i64>,
        entity: i64,
        texts: impl Iterator<Item = &'t str>,
    ) -> Result<()> {
        // No term has the identifier 0.
        let Some(words) = words::of(id_instance, chat.unwrap_or(0), texts) else {
            return Ok(());
        };
        self.statements
            .insert_words
            .execute(params![entity, words])
            .map(drop)
    }
}

fn borrowed(versions: &[Version]) -> impl Iterator<Item = (i64, i64, &[u8])> {
    versions
        .iter()
        .map(|(seq, received_at, body)| (*seq, *received_at, body.as_slice()))
}
