//! What a further event changes of a message or a call, whatever order they come in.

use std::cmp::Ordering;

use rusqlite::{Result, params};

use super::TermKind;
use super::projector::Projector;
use super::row::Row;
use super::subject::{Identity, Subject, direction, status};
use crate::notification::{Notification, Outcome, parse};
use crate::view::{Content, Direction, Role, call_rank, rank};

impl Projector<'_> {
    /// A further event that speaks of it.
    pub(super) fn merge(
        &mut self,
        row: &Row,
        notification: &Notification<'_>,
        role: Role,
        identity: &Identity<'_>,
        subject: &Subject,
    ) -> Result<()> {
        match role {
            Role::Content => self.merge_content(row, notification, identity, subject),
            Role::Status => self.merge_status(row, notification, subject),
            Role::Edit => {
                if self.is_newer(row.moment(), subject.edit_seq)? {
                    self.projection
                        .prepare_cached("UPDATE subject SET edit_seq = ?2 WHERE seq = ?1")?
                        .execute([subject.seq, row.seq])?;
                    self.refresh_words(identity, subject.seq, subject.content_seq, Some(row.seq))?;
                }
                Ok(())
            }
            Role::Deletion => {
                if self.is_newer(row.moment(), subject.deletion_seq)? {
                    self.projection
                        .prepare_cached("UPDATE subject SET deletion_seq = ?2 WHERE seq = ?1")?
                        .execute([subject.seq, row.seq])?;
                }
                Ok(())
            }
            Role::Call => self.merge_call(row, notification, subject),
            Role::Reaction | Role::Vote | Role::Notice => Ok(()),
        }
    }

    /// The message itself, behind other events that speak of it or once more.
    fn merge_content(
        &mut self,
        row: &Row,
        notification: &Notification<'_>,
        identity: &Identity<'_>,
        subject: &Subject,
    ) -> Result<()> {
        if let Some(before) = subject.content_seq {
            let body = self.body(before)?;
            let moment = self.moment(before)?;
            let parsed = parse(&body);
            let (Outcome::Known(other) | Outcome::Unknown(other)) = &parsed.outcome else {
                return Ok(());
            };
            if (weight(notification), row.moment()) <= (weight(other), moment) {
                return Ok(());
            }
        }
        self.projection
            .prepare_cached(
                "UPDATE subject SET content_seq = ?2, direction = ?3, type_message = ?4
                 WHERE seq = ?1",
            )?
            .execute(params![
                subject.seq,
                row.seq,
                direction(notification, Role::Content),
                row.type_message
            ])?;
        // The list of messages finds it where it stands by what is asked for.
        self.post_columns(row, subject.seq)?;
        self.refresh_words(identity, subject.seq, Some(row.seq), subject.edit_seq)
    }

    fn merge_status(
        &mut self,
        row: &Row,
        notification: &Notification<'_>,
        subject: &Subject,
    ) -> Result<()> {
        let Some(status) = status(notification) else {
            return Ok(());
        };
        if subject.content_seq.is_none()
            && let Some(direction) = direction(notification, Role::Status)
        {
            self.projection
                .prepare_cached(
                    // Where statuses disagree, that it went through the API, whichever came last.
                    "UPDATE subject SET direction = max(coalesce(direction, ?2), ?2) WHERE seq = ?1",
                )?
                .execute([subject.seq, direction])?;
            self.post_direction(notification, subject.seq)?;
        }
        if let (Some(other), Some(other_seq)) = (&subject.status, subject.status_seq) {
            let (new, old) = (rank(status), rank(other));
            let stands = match new.cmp(&old) {
                Ordering::Less => true,
                Ordering::Greater => false,
                // Of the failures the last, of the steps the moment when it came so far.
                Ordering::Equal if new == 0 => row.moment() < self.moment(other_seq)?,
                Ordering::Equal => row.moment() > self.moment(other_seq)?,
            };
            if stands {
                return Ok(());
            }
            self.terms.unpost_status(other, subject.seq)?;
        }
        self.projection
            .prepare_cached("UPDATE subject SET status = ?2, status_seq = ?3 WHERE seq = ?1")?
            .execute(params![subject.seq, status, row.seq])?;
        self.terms.post_status(status, subject.seq)
    }

    /// Lets a message of which only the status came be found by its direction.
    pub(super) fn post_direction(
        &mut self,
        notification: &Notification<'_>,
        seq: i64,
    ) -> Result<()> {
        match Direction::of(notification) {
            Some(direction) => {
                self.terms
                    .post(TermKind::TypeWebhook, direction.type_webhook(), seq)
            }
            None => Ok(()),
        }
    }

    fn merge_call(
        &self,
        row: &Row,
        notification: &Notification<'_>,
        subject: &Subject,
    ) -> Result<()> {
        let (Some(status), Some(other), Some(other_seq)) =
            (status(notification), &subject.status, subject.status_seq)
        else {
            return Ok(());
        };
        let (new, old) = (call_rank(status), call_rank(other));
        if new > old || (new == old && row.moment() > self.moment(other_seq)?) {
            self.projection
                .prepare_cached("UPDATE subject SET status = ?2, status_seq = ?3 WHERE seq = ?1")?
                .execute(params![subject.seq, status, row.seq])?;
        }
        Ok(())
    }
}

/// Of two contents of one message the one that says something stands: a marker says less than a
/// text, and nothing less than a marker.
fn weight(notification: &Notification<'_>) -> u8 {
    if !Content::of(notification).is_there {
        0
    } else if notification.marker().is_some() {
        1
    } else {
        2
    }
}
