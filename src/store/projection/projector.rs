//! What one event after the other says, gathered and written.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, Connection, Result, params};

use super::row::Row;
use super::subject::{FIND_SUBJECT, INSERT_SUBJECT, INSERT_WORDS};
use super::terms::Terms;
use super::{TermKind, pair};
use crate::notification::{self, Notification};
use crate::store::OutcomeKind;
use crate::view::{Moment, mentions};

/// Events of which the first and the last arrival are kept together.
pub(in crate::store) const SPAN_EVENTS: i64 = 1024;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) enum Measure {
    /// Events by `typeWebhook`.
    TypeWebhook = 1,
    /// Events by outcome.
    Outcome = 2,
    /// Messages.
    Messages = 3,
    /// Calls.
    Calls = 4,
}

struct SeenInstance<'t> {
    newest: i64,
    type_instance: Option<&'t str>,
}

/// What nearly every message runs.
pub(super) struct Statements<'t> {
    pub(super) find_subject: CachedStatement<'t>,
    pub(super) insert_subject: CachedStatement<'t>,
    pub(super) insert_words: CachedStatement<'t>,
}

/// Writes events into the projection. What many of them change is written once, at the end.
pub(super) struct Projector<'t> {
    pub(super) projection: &'t Connection,
    pub(super) events: &'t Connection,
    pub(super) statements: Statements<'t>,
    pub(super) terms: Terms<'t>,
    pub(super) newest_of_chat: BTreeMap<(i64, i64), i64>,
    instances: BTreeMap<i64, SeenInstance<'t>>,
    tally: BTreeMap<(Measure, i64, &'t str), i64>,
    spans: BTreeMap<i64, (i64, i64)>,
}

impl<'t> Projector<'t> {
    pub(super) fn new(projection: &'t Connection, events: &'t Connection) -> Result<Self> {
        Ok(Self {
            projection,
            events,
            statements: Statements {
                find_subject: projection.prepare_cached(FIND_SUBJECT)?,
                insert_subject: projection.prepare_cached(INSERT_SUBJECT)?,
                insert_words: projection.prepare_cached(INSERT_WORDS)?,
            },
            terms: Terms::new(projection)?,
            newest_of_chat: BTreeMap::new(),
            instances: BTreeMap::new(),
            tally: BTreeMap::new(),
            spans: BTreeMap::new(),
        })
    }

    /// Writes what one event says.
    pub(super) fn event(&mut self, row: &'t Row) -> Result<()> {
        self.count(row);
        self.post_columns(row, row.seq)?;
        if row.outcome == OutcomeKind::Malformed {
            return Ok(());
        }
        let read = row.type_webhook.as_deref();
        let Some(notification) = read.and_then(|name| notification::read(name, &row.body)) else {
            return Ok(());
        };
        self.account(row, &notification)?;
        for mention in mentions(&notification) {
            self.mention(row, &notification, mention)?;
        }
        Ok(())
    }

    fn count(&mut self, row: &'t Row) {
        let instance = row.id_instance.unwrap_or(0);
        let type_webhook = row.type_webhook.as_deref().unwrap_or_default();
        self.add(Measure::TypeWebhook, instance, type_webhook, 1);
        self.add(Measure::Outcome, instance, row.outcome.name(), 1);
        let (least, most) = self
            .spans
            .entry(row.seq / SPAN_EVENTS)
            .or_insert((row.received_at, row.received_at));
        *least = row.received_at.min(*least);
        *most = row.received_at.max(*most);
        if let Some(id) = row.id_instance {
            let seen = self.instances.entry(id).or_insert(SeenInstance {
                newest: row.seq,
                type_instance: None,
            });
            seen.newest = row.seq;
            seen.type_instance = row.type_instance.as_deref().or(seen.type_instance);
        }
    }

    pub(super) fn add(&mut self, measure: Measure, instance: i64, value: &'t str, n: i64) {
        *self.tally.entry((measure, instance, value)).or_insert(0) += n;
    }

    /// Posts the columns of an event at `seq`.
    pub(super) fn post_columns(&mut self, row: &Row, seq: i64) -> Result<()> {
        if let Some(id) = row.id_instance {
            self.terms.post(TermKind::Instance, &id.to_string(), seq)?;
            let rare = row.type_webhook.as_deref();
            if let Some(pair) = rare.and_then(|name| pair(id, name)) {
                self.terms.post(TermKind::InstanceType, &pair, seq)?;
            }
        }
        let outcome = Some(row.outcome).filter(|outcome| *outcome != OutcomeKind::Known);
        for (kind, value) in [
            (TermKind::TypeWebhook, row.type_webhook.as_deref()),
            (TermKind::TypeMessage, row.type_message.as_deref()),
            (TermKind::Chat, row.chat_id.as_deref()),
            (TermKind::Outcome, outcome.map(OutcomeKind::name)),
        ] {
            if let Some(value) = value {
                self.terms.post(kind, value, seq)?;
            }
        }
        Ok(())
    }

    /// States, sockets and quotas.
    fn account(&mut self, row: &Row, notification: &Notification<'_>) -> Result<()> {
        let Some(id) = row.id_instance else {
            return Ok(());
        };
        let column = match notification {
            Notification::StateInstanceChanged(change) => {
                let Some(name) = change.state_name() else {
                    return Ok(());
                };
                self.projection
                    .prepare_cached("INSERT INTO state VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![id, row.moment().timestamp, row.seq, name])?;
                return Ok(());
            }
            Notification::StatusInstanceChanged(_) => "socket_seq",
            Notification::QuotaExceeded(_) => "quota_seq",
            _ => return Ok(()),
        };
        if let Some(seen) = self.instances.get(&id) {
            self.write_instance(id, seen)?;
        }
        let before: Option<i64> = self
            .projection
            .prepare_cached(&format!(
                "SELECT {column} FROM instance WHERE id_instance = ?1"
            ))?
            .query_row([id], |row| row.get(0))?;
        if self.is_newer(row.moment(), before)? {
            self.projection
                .prepare_cached(&format!(
                    "UPDATE instance SET {column} = ?2 WHERE id_instance = ?1"
                ))?
                .execute([id, row.seq])?;
        }
        Ok(())
    }

    /// Whether what happened at `moment` is newer than the event `other`.
    pub(super) fn is_newer(&self, moment: Moment, other: Option<i64>) -> Result<bool> {
        Ok(match other {
            Some(other) => moment > self.moment(other)?,
            None => true,
        })
    }

    /// When an earlier event happened. One that cannot be read any more is older than all others.
    pub(super) fn moment(&self, seq: i64) -> Result<Moment> {
        let mut statement = self
            .events
            .prepare_cached("SELECT timestamp, received_at FROM event WHERE seq = ?1")?;
        let moment =
            statement.query_row([seq], |row| Ok(Moment::new(row.get(0)?, row.get(1)?, seq)));
        Ok(moment.unwrap_or(Moment::new(None, 0, seq)))
    }

    /// The body of an earlier event; nothing, where it cannot be read any more.
    pub(super) fn body(&self, seq: i64) -> Result<Vec<u8>> {
        let mut statement = self
            .events
            .prepare_cached("SELECT body FROM event WHERE seq = ?1")?;
        Ok(statement
            .query_row([seq], |row| row.get(0))
            .unwrap_or_default())
    }

    fn write_instance(&self, id: i64, seen: &SeenInstance<'_>) -> Result<()> {
        self.projection
            .prepare_cached(
                "INSERT INTO instance (id_instance, type_instance, newest) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET newest = excluded.newest,
                     type_instance = coalesce(excluded.type_instance, type_instance)",
            )?
            .execute(params![id, seen.type_instance, seen.newest])
            .map(drop)
    }

    /// Writes what was gathered.
    pub(super) fn finish(mut self) -> Result<()> {
        self.terms.finish()?;
        for (&id, seen) in &self.instances {
            self.write_instance(id, seen)?;
        }
        for ((id_instance, chat), newest) in &self.newest_of_chat {
            self.projection
                .prepare_cached(
                    "INSERT INTO chat VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET newest = excluded.newest",
                )?
                .execute([id_instance, chat, newest])?;
        }
        for ((measure, id_instance, value), n) in &self.tally {
            self.projection
                .prepare_cached(
                    "INSERT INTO tally VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET n = n + excluded.n",
                )?
                .execute(params![*measure as i64, id_instance, value, n])?;
        }
        for (block, (least, most)) in &self.spans {
            self.projection
                .prepare_cached(
                    "INSERT INTO span VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET least = min(least, excluded.least),
                         most = max(most, excluded.most)",
                )?
                .execute([block, least, most])?;
        }
        Ok(())
    }
}
