//! Notices: entities that are not messages, but edits, deletions, reactions or votes. A status
//! alone makes such an entity look like a message until the edit arrives. Conversely, a notice
//! becomes a message once content arrives under its identifier.

use rusqlite::{OptionalExtension, Result};

use super::entity::EntityKind;
use super::find::{Entity, Identity};
use super::projector::{Measure, Projector};

impl Projector<'_> {
    /// Turns an entity that looked like a message into a notice, which removes it from lists.
    pub(super) fn hide(&mut self, identity: &Identity<'_>, entity: &Entity) -> Result<()> {
        self.change_kind(entity, EntityKind::Notice)?;
        self.add(Measure::Messages, identity.id_instance, "", -1);
        self.find_newest(identity.id_instance, entity.chat)?;
        self.settle_chatless(identity)
    }

    /// Turns an entity that looked like a notice into a message.
    pub(super) fn reveal(&mut self, identity: &Identity<'_>, entity: &Entity) -> Result<()> {
        self.change_kind(entity, EntityKind::Message)?;
        self.add(Measure::Messages, identity.id_instance, "", 1);
        self.find_newest(identity.id_instance, entity.chat)?;
        self.settle_chatless(identity)
    }

    /// Moves a notice that has become a message to the seq of its content, which is its position in
    /// lists.
    pub(super) fn move_to(&mut self, entity: &Entity, seq: i64) -> Result<Entity> {
        self.projection
            .prepare_cached("DELETE FROM mention WHERE entity = ?1 AND seq = ?2")?
            .execute([entity.seq, seq])?;
        for sql in [
            "UPDATE entity SET seq = ?2 WHERE seq = ?1",
            "UPDATE mention SET entity = ?2 WHERE entity = ?1",
        ] {
            self.projection
                .prepare_cached(sql)?
                .execute([entity.seq, seq])?;
        }
        self.projection
            .prepare_cached("DELETE FROM word WHERE rowid = ?1")?
            .execute([entity.seq])?;
        Ok(Entity {
            seq,
            ..entity.clone()
        })
    }

    fn change_kind(&self, entity: &Entity, kind: EntityKind) -> Result<()> {
        self.projection
            .prepare_cached("UPDATE entity SET kind = ?2 WHERE seq = ?1")?
            .execute([entity.seq, kind as i64])
            .map(drop)
    }

    /// Determines the newest message of a chat again.
    pub(super) fn find_newest(&mut self, id_instance: i64, chat: Option<i64>) -> Result<()> {
        let Some(chat) = chat else {
            return Ok(());
        };
        self.terms.write_postings()?;
        let newest: Option<i64> = self
            .projection
            .prepare_cached(
                "SELECT entity.seq
                 FROM epoch CROSS JOIN posting ON posting.epoch = epoch.n
                 CROSS JOIN entity ON entity.seq = posting.seq
                 WHERE term = ?2 AND kind = 0 AND id_instance = ?1 AND chat = ?2
                 ORDER BY epoch.n DESC, posting.seq DESC LIMIT 1",
            )?
            .query_row([id_instance, chat], |row| row.get(0))
            .optional()?;
        self.newest_of_chat.remove(&(id_instance, chat));
        match newest {
            Some(newest) => {
                self.newest_of_chat.insert((id_instance, chat), newest);
            }
            None => {
                self.projection
                    .prepare_cached("DELETE FROM chat WHERE id_instance = ?1 AND chat = ?2")?
                    .execute([id_instance, chat])?;
            }
        }
        Ok(())
    }
}
