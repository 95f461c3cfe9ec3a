//! Messages: the first event that speaks of one, and those that follow it.

use rusqlite::{Result, params};

use super::TermKind;
use super::find::{Entity, Identity};
use super::projector::{Measure, Projector, Said};
use crate::model::{Direction, Mention, Role};
use crate::notification::Notification;

/// What a entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum EntityKind {
    /// A message.
    Message = 0,
    /// A call.
    Call = 1,
    /// An edit, a deletion, a reaction or a vote, which is no message. It is kept because statuses name
    /// it as they name messages, and may come before it.
    Notice = 2,
}

pub(super) const INSERT_ENTITY: &str = "
    INSERT INTO entity (seq, key, kind, id_instance, chat, id_message, direction, type_message,
                         status, content_seq, edit_seq, status_seq, deletion_seq, digest)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

/// What a entity is kept under. Without a key nothing else speaks of it.
#[derive(Clone, Copy)]
pub(super) struct Entry<'m> {
    pub(super) kind: EntityKind,
    pub(super) key: Option<i64>,
    pub(super) id_instance: i64,
    pub(super) chat: Option<i64>,
    pub(super) id_message: Option<&'m str>,
}

impl Projector<'_> {
    /// Writes that an event speaks of a message or a call.
    pub(super) fn mention(&mut self, said: &Said<'_>, mention: Mention<'_>) -> Result<()> {
        let Some(id_instance) = said.row.id_instance else {
            return Ok(());
        };
        let role = mention.role;
        let identity = mention
            .id_message
            .map(|id| Identity::new(role == Role::Call, id_instance, id));
        match (role, identity, said.chat) {
            (Role::Call, identity, _) => self.call(said, id_instance, identity.as_ref()),
            (_, Some(identity), Some(chat)) => self.message(said, role, &identity, chat),
            (Role::Status, Some(identity), None) => self.insert_chatless(said, &identity),
            _ => self.without_identity(said, role, id_instance),
        }
    }

    fn message(
        &mut self,
        said: &Said<'_>,
        role: Role,
        identity: &Identity<'_>,
        chat_id: &str,
    ) -> Result<()> {
        let chat = self.terms.id(TermKind::Chat, chat_id)?;
        let (found, others) = self.find(identity, Some(chat), said.digest)?;
        let Some(entity) = found else {
            let kind = if role == Role::Notice {
                EntityKind::Notice
            } else {
                EntityKind::Message
            };
            let entry = Entry {
                kind,
                key: Some(identity.key),
                id_instance: identity.id_instance,
                chat: Some(chat),
                id_message: Some(identity.id_message),
            };
            self.insert(said, role, &entry)?;
            self.find_chats_of_one_person(identity, (chat, chat_id), &others)?;
            return self.settle_chatless(identity);
        };
        self.insert_mention(said, &entity)?;
        self.merge(said, role, identity, &entity)
    }

    /// Writes that a further event speaks of a entity.
    pub(super) fn insert_mention(&self, said: &Said<'_>, entity: &Entity) -> Result<()> {
        self.projection
            .prepare_cached("INSERT OR IGNORE INTO mention VALUES (?1, ?2, ?3)")?
            .execute(params![entity.seq, said.row.seq, said.digest])?;
        match entity.same {
            Some(same) => self.insert_duplicate(said.row.seq, same),
            None => Ok(()),
        }
    }

    /// A message that lacks its identifier or its chat is one event's own.
    fn without_identity(&mut self, said: &Said<'_>, role: Role, id_instance: i64) -> Result<()> {
        if !matches!(role, Role::Content | Role::Edit) {
            return Ok(());
        }
        let chat = match said.chat {
            Some(chat) => Some(self.terms.id(TermKind::Chat, chat)?),
            None => None,
        };
        let entry = Entry {
            kind: EntityKind::Message,
            key: None,
            id_instance,
            chat,
            id_message: own_id(said.notification),
        };
        self.insert(said, Role::Content, &entry)
    }

    /// The first event that speaks of a message or a call.
    pub(super) fn insert(&mut self, said: &Said<'_>, role: Role, entry: &Entry<'_>) -> Result<()> {
        let row = said.row;
        let at = |wanted| (role == wanted).then_some(row.seq);
        let status = said
            .notification
            .status_name()
            .filter(|_| role != Role::Notice);
        let type_message = row.type_message.as_deref();
        // Its event may be the first that speaks of another entity too, whose place it is then.
        let place = match entry.kind {
            EntityKind::Notice => -row.seq,
            EntityKind::Message | EntityKind::Call => row.seq,
        };
        self.statements.insert_entity.execute(params![
            place,
            entry.key,
            entry.kind as i64,
            entry.id_instance,
            entry.chat,
            entry.id_message,
            direction(said.notification, role),
            type_message.filter(|_| role == Role::Content),
            status,
            at(Role::Content),
            at(Role::Edit),
            at(Role::Status).or(at(Role::Call)),
            at(Role::Deletion),
            said.digest.filter(|_| entry.key.is_some()),
        ])?;
        if entry.kind == EntityKind::Call {
            return Ok(());
        }
        if said.chat != row.chat_id.as_deref()
            && let Some(chat) = said.chat
        {
            // The columns of the event have another form of the chat.
            self.terms.post(TermKind::Chat, chat, row.seq)?;
        }
        if entry.kind == EntityKind::Notice {
            return Ok(());
        }
        self.add(Measure::Messages, entry.id_instance, "", 1);
        if let Some(chat) = entry.chat {
            self.newest_of_chat
                .insert((entry.id_instance, chat), row.seq);
        }
        if let Some(status) = status {
            self.terms.post_status(status, row.seq)?;
            self.post_direction(said.notification, row.seq)?;
        }
        match role {
            Role::Content | Role::Edit => self.first_words(said, entry),
            _ => Ok(()),
        }
    }
}

fn own_id<'n>(notification: &'n Notification<'_>) -> Option<&'n str> {
    let id = match notification {
        Notification::IncomingMessageReceived(message)
        | Notification::OutgoingMessageReceived(message)
        | Notification::OutgoingApiMessageReceived(message) => message.id_message.as_deref(),
        _ => None,
    };
    id.filter(|id| !id.is_empty())
}

pub(super) fn direction(notification: &Notification<'_>, role: Role) -> Option<i64> {
    let says = matches!(role, Role::Content | Role::Status);
    let direction = Direction::of(notification).filter(|_| says);
    direction.map(|direction| direction as i64)
}
