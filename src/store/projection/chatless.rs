//! Statuses without a chat. Such a status applies to the message with its identifier if the account
//! has exactly one. If the account has none or several, the status applies to none.

use std::borrow::Cow;

use rusqlite::{Result, params};

use super::entity::{EntityKind, direction};
use super::find::Identity;
use super::merge::supersedes;
use super::projector::{ParsedEvent, Projector};
use crate::model::{Moment, Role};
use crate::notification::{Notification, read};

/// The `typeWebhook` of status notifications.
const STATUS: &str = "outgoingMessageStatus";

/// A status of a message, and the event that reported it.
struct ReportedStatus {
    name: String,
    at: Moment,
    direction: Option<i64>,
}

impl Projector<'_> {
    /// Stores a status without a chat.
    pub(super) fn insert_chatless(
        &mut self,
        event: &ParsedEvent<'_>,
        identity: &Identity<'_>,
    ) -> Result<()> {
        let same: Option<i64> = self
            .projection
            .prepare_cached(
                "SELECT min(seq) FROM chatless
                 WHERE key = ?1 AND id_instance = ?2 AND id_message = ?3 AND digest = ?4",
            )?
            .query_row(
                params![
                    identity.key,
                    identity.id_instance,
                    identity.id_message,
                    event.digest
                ],
                |row| row.get(0),
            )?;
        if let Some(same) = same {
            self.insert_duplicate(event.row.seq, same)?;
        }
        self.projection
            .prepare_cached("INSERT INTO chatless VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![
                identity.key,
                event.row.seq,
                identity.id_instance,
                identity.id_message,
                event.digest
            ])?;
        self.has_chatless = true;
        self.settle_chatless(identity)
    }

    /// Attaches the statuses without a chat to the only message with their identifier, or detaches
    /// them once it is no longer the only one.
    pub(super) fn settle_chatless(&mut self, identity: &Identity<'_>) -> Result<()> {
        if !self.has_chatless {
            return Ok(());
        }
        let parameters = identity.parameters();
        let statuses: Vec<i64> = self
            .projection
            .prepare_cached(
                "SELECT seq FROM chatless WHERE key = ?1 AND id_instance = ?2 AND id_message = ?3",
            )?
            .query_map(parameters, |row| row.get(0))?
            .collect::<Result<_>>()?;
        if statuses.is_empty() {
            return Ok(());
        }
        let entities: Vec<(i64, i64)> = self
            .projection
            .prepare_cached(
                "SELECT seq, kind FROM entity
                 WHERE key = ?1 AND id_instance = ?2 AND id_message = ?3",
            )?
            .query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_>>()?;
        let is_message = |kind| kind == EntityKind::Message as i64;
        let is_only = entities
            .iter()
            .filter(|(_, kind)| is_message(*kind))
            .count()
            == 1;
        for (entity, kind) in entities {
            let change = if is_only && is_message(kind) {
                "INSERT OR IGNORE INTO mention (entity, seq) VALUES (?1, ?2)"
            } else {
                "DELETE FROM mention WHERE entity = ?1 AND seq = ?2"
            };
            let mut changed = 0;
            for status in &statuses {
                changed += self
                    .projection
                    .prepare_cached(change)?
                    .execute([entity, *status])?;
            }
            if changed > 0 {
                self.find_status(entity)?;
            }
        }
        Ok(())
    }

    /// Determines the status of a message again from all events that refer to it.
    fn find_status(&mut self, entity: i64) -> Result<()> {
        let seqs: Vec<i64> = self
            .projection
            .prepare_cached("SELECT ?1 UNION ALL SELECT seq FROM mention WHERE entity = ?1")?
            .query_map([entity], |row| row.get(0))?
            .collect::<Result<_>>()?;
        let (mut current, mut found_direction): (Option<ReportedStatus>, _) = (None, None);
        for seq in seqs {
            let Some(reported) = self.status_of(seq)? else {
                continue;
            };
            found_direction = found_direction.max(reported.direction);
            if current.as_ref().is_none_or(|before| {
                supersedes((&reported.name, reported.at), (&before.name, before.at))
            }) {
                current = Some(reported);
            }
        }
        let (before, has_content): (Option<String>, bool) = self
            .projection
            .prepare_cached("SELECT status, content_seq IS NOT NULL FROM entity WHERE seq = ?1")?
            .query_row([entity], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if let Some(before) = before {
            self.terms.unpost_status(&before, entity)?;
        }
        if let Some(reported) = &current {
            self.terms.post_status(&reported.name, entity)?;
        }
        self.projection
            .prepare_cached("UPDATE entity SET status = ?2, status_seq = ?3 WHERE seq = ?1")?
            .execute(params![
                entity,
                current.as_ref().map(|reported| &reported.name),
                current.as_ref().map(|reported| reported.at.seq)
            ])?;
        if !has_content {
            self.projection
                .prepare_cached("UPDATE entity SET direction = ?2 WHERE seq = ?1")?
                .execute(params![entity, found_direction])?;
        }
        Ok(())
    }

    /// The status that the event `seq` reports, or `None` if it is no status.
    fn status_of(&mut self, seq: i64) -> Result<Option<ReportedStatus>> {
        let mut statement = self.events.prepare_cached(
            "SELECT timestamp, received_at, body, size FROM event WHERE seq = ?1 AND type_webhook = ?2",
        )?;
        let found = statement.query_row(params![seq, STATUS], |row| {
            let at = Moment::new(row.get(0)?, row.get(1)?, seq);
            let body = self.events.body(row, (2, 3))?;
            Ok((at, body.map(Cow::into_owned)))
        });
        // The event has another type or is no longer readable.
        let Ok((at, Some(body))) = found else {
            return Ok(None);
        };
        let notification: Option<Notification<'_>> = read(STATUS, &body);
        Ok(notification.and_then(|notification| {
            Some(ReportedStatus {
                name: notification.status_name()?.to_owned(),
                at,
                direction: direction(&notification, Role::Status),
            })
        }))
    }
}
