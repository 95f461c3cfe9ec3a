//! Messages and calls: which events have their newest content, edit, status and deletion.

use rusqlite::{OptionalExtension, Result, params};
use sha2::{Digest, Sha256};

use super::TermKind;
use super::projector::{Measure, Projector};
use super::row::Row;
use super::words;
use crate::notification::Notification;
use crate::view::{Content, Direction, Mention, Message, MessageEvents, MessagePlace, Role};

/// What a subject is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum SubjectKind {
    /// A message.
    Message = 0,
    /// A call.
    Call = 1,
}

/// A message or a call as it is kept.
pub(super) struct Subject {
    pub(super) seq: i64,
    pub(super) id_instance: i64,
    pub(super) chat: i64,
    pub(super) status: Option<String>,
    pub(super) content_seq: Option<i64>,
    pub(super) edit_seq: Option<i64>,
    pub(super) status_seq: Option<i64>,
    pub(super) deletion_seq: Option<i64>,
}

pub(super) const FIND_SUBJECT: &str = "
    SELECT seq, id_instance, chat, status, content_seq, edit_seq, status_seq, deletion_seq
    FROM subject WHERE key = ?1 AND id_instance = ?2 AND chat = ?3 AND id_message = ?4";

pub(super) const INSERT_SUBJECT: &str = "
    INSERT INTO subject (seq, key, kind, id_instance, chat, id_message, direction, type_message,
                         status, content_seq, edit_seq, status_seq, deletion_seq)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

pub(super) const INSERT_WORDS: &str = "INSERT INTO word (rowid, text) VALUES (?1, ?2)";

impl Projector<'_> {
    /// Writes that the event `row` speaks of a message or a call.
    pub(super) fn mention(
        &mut self,
        row: &Row,
        notification: &Notification<'_>,
        mention: Mention<'_>,
    ) -> Result<()> {
        let chat = match mention.role {
            Role::Call => &row.sender,
            _ => &row.chat_id,
        };
        let (Some(id_instance), Some(chat_id)) = (row.id_instance, chat) else {
            return Ok(());
        };
        let chat = self.terms.id(TermKind::Chat, chat_id)?;
        let identity = Identity {
            key: key(
                mention.role == Role::Call,
                id_instance,
                chat_id,
                mention.id_message,
            ),
            id_instance,
            chat,
            id_message: mention.id_message,
        };
        match (self.find(&identity)?, mention.role) {
            (None, Role::Notice) => self.insert_notice(&identity),
            (Some(subject), Role::Notice) => {
                if subject.content_seq.is_none() {
                    self.remove(&subject)?;
                    self.insert_notice(&identity)?;
                }
                Ok(())
            }
            // What became of an edit or a reaction is no message.
            (None, Role::Status) if self.is_notice(&identity)? => Ok(()),
            (None, role) => {
                if role == Role::Call {
                    // The columns of a call have no chat.
                    self.terms.post(TermKind::Chat, chat_id, row.seq)?;
                }
                self.insert(row, notification, role, &identity)
            }
            (Some(subject), role) => {
                self.projection
                    .prepare_cached("INSERT OR IGNORE INTO mention VALUES (?1, ?2)")?
                    .execute([subject.seq, row.seq])?;
                self.merge(row, notification, role, &identity, &subject)
            }
        }
    }

    fn find(&mut self, identity: &Identity<'_>) -> Result<Option<Subject>> {
        self.statements
            .find_subject
            .query_row(identity.parameters(), |row| {
                Ok(Subject {
                    seq: row.get(0)?,
                    id_instance: row.get(1)?,
                    chat: row.get(2)?,
                    status: row.get(3)?,
                    content_seq: row.get(4)?,
                    edit_seq: row.get(5)?,
                    status_seq: row.get(6)?,
                    deletion_seq: row.get(7)?,
                })
            })
            .optional()
    }

    fn is_notice(&self, identity: &Identity<'_>) -> Result<bool> {
        self.projection
            .prepare_cached(
                "SELECT 1 FROM notice
                 WHERE key = ?1 AND id_instance = ?2 AND chat = ?3 AND id_message = ?4",
            )?
            .exists(identity.parameters())
    }

    fn insert_notice(&self, identity: &Identity<'_>) -> Result<()> {
        self.projection
            .prepare_cached("INSERT OR IGNORE INTO notice VALUES (?1, ?2, ?3, ?4)")?
            .execute(identity.parameters())
            .map(drop)
    }

    /// The first event that speaks of a message or a call.
    fn insert(
        &mut self,
        row: &Row,
        notification: &Notification<'_>,
        role: Role,
        identity: &Identity<'_>,
    ) -> Result<()> {
        let at = |wanted| (role == wanted).then_some(row.seq);
        let kind = if role == Role::Call {
            SubjectKind::Call
        } else {
            SubjectKind::Message
        };
        let status = status(notification);
        let type_message = row.type_message.as_deref();
        self.statements.insert_subject.execute(params![
            row.seq,
            identity.key,
            kind as i64,
            identity.id_instance,
            identity.chat,
            identity.id_message,
            direction(notification, role),
            type_message.filter(|_| role == Role::Content),
            status,
            at(Role::Content),
            at(Role::Edit),
            at(Role::Status).or(at(Role::Call)),
            at(Role::Deletion),
        ])?;
        if kind == SubjectKind::Call {
            self.add(Measure::Calls, identity.id_instance, "", 1);
            self.terms.post(TermKind::Call, "", row.seq)?;
            return self
                .terms
                .post(TermKind::Call, &identity.id_instance.to_string(), row.seq);
        }
        self.add(Measure::Messages, identity.id_instance, "", 1);
        self.newest_of_chat
            .insert((identity.id_instance, identity.chat), row.seq);
        if let Some(status) = status {
            self.terms.post_status(status, row.seq)?;
            self.post_direction(notification, row.seq)?;
        }
        match role {
            Role::Content => {
                let content = Content::of(notification);
                let texts = [content.text, content.caption, content.file_name];
                self.write_words(identity, row.seq, texts.into_iter().flatten())
            }
            Role::Edit => self.refresh_words(identity, row.seq, None, Some(row.seq)),
            _ => Ok(()),
        }
    }

    /// Takes away what looked like a message and is the identifier of a notice.
    fn remove(&mut self, subject: &Subject) -> Result<()> {
        let Subject {
            seq,
            id_instance,
            chat,
            ..
        } = *subject;
        if let Some(status) = &subject.status {
            self.terms.unpost_status(status, seq)?;
        }
        for sql in [
            "DELETE FROM subject WHERE seq = ?1",
            "DELETE FROM mention WHERE subject = ?1",
        ] {
            self.projection.prepare_cached(sql)?.execute([seq])?;
        }
        self.add(Measure::Messages, id_instance, "", -1);
        self.newest_of_chat.remove(&(id_instance, chat));
        self.terms.write_postings()?;
        let newest: Option<i64> = self
            .projection
            .prepare_cached(
                "SELECT subject.seq
                 FROM epoch CROSS JOIN posting ON posting.epoch = epoch.n
                 CROSS JOIN subject ON subject.seq = posting.seq
                 WHERE term = ?2 AND kind = 0 AND id_instance = ?1
                 ORDER BY epoch.n DESC, posting.seq DESC LIMIT 1",
            )?
            .query_row([id_instance, chat], |row| row.get(0))
            .optional()?;
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

    /// Writes the words of a message again, from the events that have its content and its edit.
    pub(super) fn refresh_words(
        &mut self,
        identity: &Identity<'_>,
        subject: i64,
        content: Option<i64>,
        edit: Option<i64>,
    ) -> Result<()> {
        let place = MessagePlace {
            seq: subject,
            id_instance: identity.id_instance,
            chat_id: String::new(),
            id_message: identity.id_message.to_owned(),
            direction: None,
        };
        let content = content.map(|seq| self.body(seq)).transpose()?;
        let edit = edit.map(|seq| self.body(seq)).transpose()?;
        let events = MessageEvents {
            content: content.as_deref(),
            edit: edit.as_deref(),
            ..MessageEvents::default()
        };
        let (message, _) = Message::new(place, events);
        self.projection
            .prepare_cached("DELETE FROM word WHERE rowid = ?1")?
            .execute([subject])?;
        self.write_words(identity, subject, message.searched())
    }

    fn write_words<'t>(
        &mut self,
        identity: &Identity<'_>,
        subject: i64,
        texts: impl Iterator<Item = &'t str>,
    ) -> Result<()> {
        let Some(words) = words::of(identity.id_instance, identity.chat, texts) else {
            return Ok(());
        };
        self.statements
            .insert_words
            .execute(params![subject, words])
            .map(drop)
    }
}

/// Which message or call is meant.
pub(super) struct Identity<'m> {
    pub(super) key: i64,
    pub(super) id_instance: i64,
    pub(super) chat: i64,
    pub(super) id_message: &'m str,
}

impl Identity<'_> {
    fn parameters(&self) -> (i64, i64, i64, &str) {
        (self.key, self.id_instance, self.chat, self.id_message)
    }
}

/// What a message or a call is found by: a number is a smaller entry of an index than what it is
/// made of, and who finds it compares that too.
pub(in crate::store) fn key(is_call: bool, id_instance: i64, chat_id: &str, id: &str) -> i64 {
    let digest = Sha256::new()
        .chain_update([u8::from(is_call)])
        .chain_update(id_instance.to_be_bytes())
        .chain_update(chat_id)
        .chain_update([0])
        .chain_update(id)
        .finalize();
    i64::from_be_bytes(std::array::from_fn(|place| digest[place]))
}

pub(super) fn status<'n>(notification: &'n Notification<'_>) -> Option<&'n str> {
    match notification {
        Notification::OutgoingMessageStatus(status) => status.status_name(),
        Notification::IncomingCall(call) | Notification::OutgoingCall(call) => call.status_name(),
        _ => None,
    }
}

pub(super) fn direction(notification: &Notification<'_>, role: Role) -> Option<i64> {
    let says = matches!(role, Role::Content | Role::Status);
    let direction = Direction::of(notification).filter(|_| says);
    direction.map(|direction| direction as i64)
}
