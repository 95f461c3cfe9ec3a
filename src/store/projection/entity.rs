//! Entities (messages, calls and notices): the first event that mentions one creates it, and later
//! events are merged into it.

use rusqlite::{Result, params};

use super::TermKind;
use super::find::{Entity, Identity};
use super::projector::{Measure, ParsedEvent, Projector};
use crate::model::{Direction, Mention, Role};
use crate::notification::Notification;

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum EntityKind {
    /// A message.
    Message = 0,
    /// A call.
    Call = 1,
    /// An edit, a deletion, a reaction or a vote, none of which is a message. The projection keeps
    /// notices because statuses refer to them as they refer to messages, and may arrive before
    /// them.
    Notice = 2,
}

/// The identity that a new entity is stored under. No other event refers to an entity without a
/// key.
#[derive(Clone, Copy)]
pub(super) struct Entry<'m> {
    pub(super) kind: EntityKind,
    pub(super) key: Option<i64>,
    pub(super) id_instance: i64,
    pub(super) chat: Option<i64>,
    pub(super) id_message: Option<&'m str>,
}

impl Projector<'_> {
    /// Projects one mention of a message or a call.
    pub(super) fn mention(&mut self, event: &ParsedEvent<'_>, mention: Mention<'_>) -> Result<()> {
        let Some(id_instance) = event.row.columns.id_instance else {
            return Ok(());
        };
        let role = mention.role;
        let identity = mention
            .id_message
            .map(|id| Identity::new(role == Role::Call, id_instance, id));
        match (role, identity, event.chat) {
            (Role::Call, identity, _) => self.call(event, id_instance, identity.as_ref()),
            (_, Some(identity), Some(chat)) => self.message(event, role, &identity, chat),
            (Role::Status, Some(identity), None) => self.insert_chatless(event, &identity),
            _ => self.without_identity(event, role, id_instance),
        }
    }

    fn message(
        &mut self,
        event: &ParsedEvent<'_>,
        role: Role,
        identity: &Identity<'_>,
        chat_id: &str,
    ) -> Result<()> {
        let chat = self.terms.id(TermKind::Chat, chat_id)?;
        let (found, others) = self.find(identity, Some(chat), event.digest)?;
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
            self.insert(event, role, &entry)?;
            let seq = event.row.seq;
            self.find_chats_of_one_person(identity, (chat, chat_id), &others, seq)?;
            return self.settle_chatless(identity);
        };
        self.insert_mention(event, &entity)?;
        self.merge(event, role, identity, &entity)
    }

    /// Records that another event mentions the entity.
    pub(super) fn insert_mention(&self, event: &ParsedEvent<'_>, entity: &Entity) -> Result<()> {
        self.projection
            .prepare_cached("INSERT OR IGNORE INTO mention VALUES (?1, ?2, ?3)")?
            .execute(params![entity.seq, event.row.seq, event.digest])?;
        match entity.same {
            Some(same) => self.insert_duplicate(event.row.seq, same),
            None => Ok(()),
        }
    }

    /// Stores a message that lacks its identifier or its chat. Such a message consists of a single
    /// event.
    fn without_identity(
        &mut self,
        event: &ParsedEvent<'_>,
        role: Role,
        id_instance: i64,
    ) -> Result<()> {
        if !matches!(role, Role::Content | Role::Edit) {
            return Ok(());
        }
        let chat = match event.chat {
            Some(chat) => Some(self.terms.id(TermKind::Chat, chat)?),
            None => None,
        };
        let entry = Entry {
            kind: EntityKind::Message,
            key: None,
            id_instance,
            chat,
            id_message: own_id(event.notification),
        };
        self.insert(event, Role::Content, &entry)
    }

    /// Inserts an entity for the first event that mentions it.
    pub(super) fn insert(
        &mut self,
        event: &ParsedEvent<'_>,
        role: Role,
        entry: &Entry<'_>,
    ) -> Result<()> {
        let row = event.row;
        let at = |wanted| (role == wanted).then_some(row.seq);
        let status = event
            .notification
            .status_name()
            .filter(|_| role != Role::Notice);
        let type_message = row.columns.type_message.as_deref();
        // The same event may also be the first mention of another entity, which then has this seq.
        let seq = match entry.kind {
            EntityKind::Notice => -row.seq,
            EntityKind::Message | EntityKind::Call => row.seq,
        };
        self.statements.insert_entity.execute(params![
            seq,
            entry.key,
            entry.kind as i64,
            entry.id_instance,
            entry.chat,
            entry.id_message,
            direction(event.notification, role),
            type_message.filter(|_| role == Role::Content),
            status,
            at(Role::Content),
            at(Role::Edit),
            at(Role::Status).or(at(Role::Call)),
            at(Role::Deletion),
            event.digest.filter(|_| entry.key.is_some()),
        ])?;
        if entry.kind == EntityKind::Call {
            return Ok(());
        }
        if event.chat != row.columns.chat_id.as_deref()
            && let Some(chat) = event.chat
        {
            // The event's columns have the chat in another form, so the canonical form is posted
            // too.
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
            self.post_direction(event.notification, row.seq)?;
        }
        match role {
            Role::Content | Role::Edit => self.first_words(event, entry),
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
    let has_direction = matches!(role, Role::Content | Role::Status);
    let direction = Direction::of(notification).filter(|_| has_direction);
    direction.map(|direction| direction as i64)
}
