//! Forgets the oldest events, before the writer deletes them. Afterwards the projection equals one that is built from
//! the remaining events alone.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Result, Transaction};

use super::forgotten_account::ForgottenAccounts;
use super::projector::{BLOCK_EVENTS, Projector};
use super::slice::Slice;
use super::term::TermKind;
use super::touched::Touched;
use super::{forgotten_entity, forgotten_posting};
use crate::model::OutcomeKind;
use crate::notification;
use crate::store::event_connection::EventConnection;

/// Seqs that are forgotten in one transaction, during which lists do not advance.
pub(super) const SEQS: i64 = 256;

/// Forgets the events of a slice.
pub(super) fn forget(
    slice: &Slice,
    projection: &Transaction<'_>,
    events: &EventConnection,
) -> Result<()> {
    let mut projector = Projector::new(projection, events)?;
    let before = std::mem::replace(&mut projector.forgotten, slice.last());
    let mut touched = Touched::default();
    let mut accounts = ForgottenAccounts::default();
    for row in &slice.rows {
        projector.count(row, -1);
        touched.add_columns(row);
        if row.columns.outcome == OutcomeKind::Malformed {
            continue;
        }
        let name = row.columns.type_webhook.as_deref();
        let Some(notification) = name.and_then(|name| notification::read(name, &row.body)) else {
            continue;
        };
        accounts.add(row, &notification);
        touched.add(row, &notification);
    }
    projector.forget_aliases(&mut touched)?;
    for seq in std::mem::take(&mut touched.lone) {
        forgotten_entity::remove_lone(&mut projector, seq, &mut touched.chats)?;
    }
    let remaining = forgotten_entity::remove(&mut projector, &mut touched)?;
    projection
        .prepare_cached("DELETE FROM duplicate WHERE seq <= ?1")?
        .execute([slice.last()])?;
    forgotten_entity::project_again(&mut projector, &touched.identities, &remaining)?;
    projector.settle_chats(&touched.chats)?;
    accounts.forget(&mut projector, before)?;
    projector.finish()?;
    projection
        .prepare_cached("DELETE FROM counter WHERE n <= 0")?
        .execute([])?;
    projection
        .prepare_cached("DELETE FROM block_range WHERE block < ?1")?
        .execute([(slice.last() + 1) / BLOCK_EVENTS])?;
    forgotten_posting::forget(projection, slice.last(), &touched)?;
    projection
        .prepare_cached("UPDATE progress SET forgotten = ?1")?
        .execute([slice.last()])
        .map(drop)
}

impl Projector<'_> {
    /// Forgets the aliases that only forgotten events show.
    fn forget_aliases(&mut self, touched: &mut Touched) -> Result<()> {
        for (id_instance, chat, other) in &touched.pairs {
            let (Some(chat), Some(other)) = (self.chat_term(chat)?, self.chat_term(other)?) else {
                continue;
            };
            let deleted = self
                .projection
                .prepare_cached(
                    "DELETE FROM alias WHERE id_instance = ?1 AND key = 0 AND seq <= ?4
                     AND (chat, other) IN (VALUES (?2, ?3), (?3, ?2))",
                )?
                .execute([*id_instance, chat, other, self.forgotten])?;
            if deleted > 0 {
                touched.terms.extend([chat, other]);
            }
        }
        if !self.has_hints {
            return Ok(());
        }
        for quoted in &touched.quoted {
            let identity = quoted.identity();
            let chats: Vec<i64> = self
                .projection
                .prepare_cached(
                    "DELETE FROM hint
                     WHERE key = ?1 AND id_instance = ?2 AND id_message = ?3 AND seq <= ?4
                     RETURNING chat",
                )?
                .query_map(
                    (
                        identity.key,
                        identity.id_instance,
                        identity.id_message,
                        self.forgotten,
                    ),
                    |row| row.get(0),
                )?
                .collect::<Result<_>>()?;
            if !chats.is_empty() {
                touched.terms.extend(chats);
                touched.identities.insert(quoted.clone());
            }
        }
        Ok(())
    }

    fn chat_term(&self, chat: &str) -> Result<Option<i64>> {
        self.projection
            .prepare_cached("SELECT id FROM term WHERE kind = ?1 AND value = ?2")?
            .query_row((TermKind::Chat as i64, chat), |row| row.get(0))
            .optional()
    }

    /// Finds the newest message of each chat that lost a message or whose messages moved.
    fn settle_chats(&mut self, lost: &BTreeSet<(i64, i64)>) -> Result<()> {
        let moved: BTreeMap<_, _> = std::mem::take(&mut self.newest_of_chat);
        let chats: BTreeSet<_> = lost.iter().chain(moved.keys()).copied().collect();
        for (id_instance, chat) in chats {
            let newest: Option<i64> = self
                .projection
                .prepare_cached(
                    "SELECT newest FROM chat
                     WHERE id_instance = ?1 AND chat = ?2 AND EXISTS (
                         SELECT 1 FROM entity WHERE seq = newest AND kind = 0 AND entity.chat = ?2)",
                )?
                .query_row([id_instance, chat], |row| row.get(0))
                .optional()?;
            let moved = moved.get(&(id_instance, chat)).copied();
            match newest {
                Some(newest) => {
                    let newest = moved.map_or(newest, |moved| moved.max(newest));
                    self.newest_of_chat.insert((id_instance, chat), newest);
                }
                None => self.find_newest(id_instance, Some(chat))?,
            }
        }
        Ok(())
    }
}
