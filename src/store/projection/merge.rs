//! Merges a later event into an existing entity. The result does not depend on the order of the
//! events.

use std::cmp::Ordering;

use rusqlite::{Result, params};

use super::TermKind;
use super::entity::{EntityKind, direction};
use super::find::{Entity, Identity};
use super::projector::{ParsedEvent, Projector};
use crate::model::{Direction, Moment, Role, rank};
use crate::notification::Notification;

impl Projector<'_> {
    /// Merges another event that mentions `entity`.
    pub(super) fn merge(
        &mut self,
        event: &ParsedEvent<'_>,
        role: Role,
        identity: &Identity<'_>,
        entity: &Entity,
    ) -> Result<()> {
        match role {
            Role::Content | Role::Edit => self.merge_version(event, role, identity, entity),
            Role::Status => self.merge_status(event, entity),
            Role::Deletion => {
                if self.is_newer(event.row.moment(), entity.deletion_seq)? {
                    self.projection
                        .prepare_cached("UPDATE entity SET deletion_seq = ?2 WHERE seq = ?1")?
                        .execute([entity.seq, event.row.seq])?;
                }
                Ok(())
            }
            Role::Notice
                if entity.content_seq.is_none() && entity.kind == EntityKind::Message as i64 =>
            {
                self.hide(identity, entity)
            }
            Role::Call | Role::Reaction | Role::Vote | Role::Notice => Ok(()),
        }
    }

    fn merge_status(&mut self, event: &ParsedEvent<'_>, entity: &Entity) -> Result<()> {
        let (row, notification) = (event.row, event.notification);
        let Some(status) = notification.status_name() else {
            return Ok(());
        };
        if entity.content_seq.is_none()
            && let Some(direction) = direction(notification, Role::Status)
        {
            self.projection
                .prepare_cached(
                    // If statuses disagree, the API direction wins, in whatever order they arrive.
                    "UPDATE entity SET direction = max(coalesce(direction, ?2), ?2) WHERE seq = ?1",
                )?
                .execute([entity.seq, direction])?;
            self.post_direction(notification, entity.seq)?;
        }
        if let (Some(other), Some(other_seq)) = (&entity.status, entity.status_seq) {
            let other_moment = self.moment(other_seq)?;
            if !supersedes((status, row.moment()), (other, other_moment)) {
                return Ok(());
            }
            self.terms.unpost_status(other, entity.seq)?;
        }
        self.projection
            .prepare_cached("UPDATE entity SET status = ?2, status_seq = ?3 WHERE seq = ?1")?
            .execute(params![entity.seq, status, row.seq])?;
        self.terms.post_status(status, entity.seq)
    }

    /// Posts the direction of a message that has only a status so far, so that filters by direction
    /// find it.
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
}

/// Whether the status `one` replaces the status `other`.
pub(super) fn supersedes((one, at): (&str, Moment), (other, other_at): (&str, Moment)) -> bool {
    let (rank_of_one, rank_of_other) = (rank(one), rank(other));
    match rank_of_one.cmp(&rank_of_other) {
        Ordering::Less => false,
        Ordering::Greater => true,
        // Among statuses of rank 0 the last one wins. For sent, delivered and read, the earliest
        // report of the same status wins.
        Ordering::Equal if rank_of_one == 0 => at > other_at,
        Ordering::Equal => at < other_at,
    }
}
