//! Projects one event after another. Changes are accumulated and written together where that saves
//! work.

use std::collections::BTreeMap;

use rusqlite::{Connection, Result, params};

use super::evidence::FoundAlias;
use super::row::Row;
use super::statements::Statements;
use super::terms::Terms;
use super::{TermKind, pair};
use crate::model::{Content, Moment, OutcomeKind, canonical_chat, content_digest, mentions};
use crate::notification::{self, Notification};
use crate::store::event_connection::EventConnection;

/// Number of consecutive seqs in one block range, which stores their earliest and latest arrival.
pub(in crate::store) const BLOCK_EVENTS: i64 = 1024;

/// Milliseconds of an hour.
pub(in crate::store) const HOUR: i64 = 3_600_000;

/// What a counter counts.
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
    newest: &'t Row,
    type_instance: Option<&'t str>,
}

/// A stored event with its parsed notification.
#[derive(Clone, Copy)]
pub(super) struct ParsedEvent<'r> {
    pub(super) row: &'r Row,
    pub(super) notification: &'r Notification<'r>,
    pub(super) content: &'r Content<'r>,
    /// The chat in its canonical form.
    pub(super) chat: Option<&'r str>,
    /// The digest of its content, if the entity compares its events by it.
    pub(super) digest: Option<i64>,
}

/// Writes events into the projection. Rows that many events change are written once, at the end.
pub(super) struct Projector<'t> {
    pub(super) projection: &'t Connection,
    pub(super) events: &'t EventConnection,
    pub(super) statements: Statements<'t>,
    pub(super) terms: Terms<'t>,
    pub(super) newest_of_chat: BTreeMap<(i64, i64), i64>,
    instances: BTreeMap<i64, SeenInstance<'t>>,
    counter: BTreeMap<(Measure, i64, &'t str), i64>,
    /// Events by account and hour.
    hours: BTreeMap<(i64, i64), i64>,
    block_ranges: BTreeMap<i64, (i64, i64)>,
    /// Whether there are statuses without a chat. Hardly any database has one.
    pub(super) has_chatless: bool,
    /// Whether there are hints (see `hint` in schema.sql).
    pub(super) has_hints: bool,
    /// The aliases found so far, and the newest event that shows each.
    pub(super) aliases: BTreeMap<FoundAlias, i64>,
    /// Every event up to this seq is forgotten.
    pub(super) forgotten: i64,
}

impl<'t> Projector<'t> {
    pub(super) fn new(projection: &'t Connection, events: &'t EventConnection) -> Result<Self> {
        let (has_chatless, has_hints, forgotten) = projection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM chatless), EXISTS (SELECT 1 FROM hint), forgotten
                 FROM progress",
            )?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(Self {
            projection,
            events,
            statements: Statements::prepare(projection)?,
            terms: Terms::new(projection)?,
            newest_of_chat: BTreeMap::new(),
            instances: BTreeMap::new(),
            counter: BTreeMap::new(),
            hours: BTreeMap::new(),
            block_ranges: BTreeMap::new(),
            has_chatless,
            has_hints,
            aliases: BTreeMap::new(),
            forgotten,
        })
    }

    /// Projects one event.
    pub(super) fn event(&mut self, row: &'t Row) -> Result<()> {
        self.count(row, 1);
        self.see(row);
        self.post_columns(row, row.seq)?;
        if row.columns.outcome == OutcomeKind::Malformed || !row.is_intact {
            return Ok(());
        }
        let read = row.columns.type_webhook.as_deref();
        let Some(notification) = read.and_then(|name| notification::read(name, &row.body)) else {
            return Ok(());
        };
        self.account(row, &notification)?;
        let chat = row.columns.chat_id.as_deref().map(canonical_chat);
        let content = Content::of(&notification);
        let mut event = ParsedEvent {
            row,
            notification: &notification,
            content: &content,
            chat: chat.as_deref(),
            digest: None,
        };
        self.find_aliases(&event)?;
        let mut mentioned = mentions(&notification);
        let Some(first) = mentioned.next() else {
            return Ok(());
        };
        let types = (
            row.columns.type_webhook.as_deref(),
            row.columns.type_message.as_deref(),
        );
        event.digest = Some(content_digest(types, event.chat, &notification, &content));
        self.mention(&event, first)?;
        // Only the first mention decides whether an event is a duplicate.
        event.digest = None;
        mentioned.try_for_each(|mention| self.mention(&event, mention))
    }

    /// Counts an event `n` times; -1 if it is forgotten.
    pub(super) fn count(&mut self, row: &'t Row, n: i64) {
        let instance = row.columns.id_instance.unwrap_or(0);
        let type_webhook = row.columns.type_webhook.as_deref().unwrap_or_default();
        self.add(Measure::TypeWebhook, instance, type_webhook, n);
        self.add(Measure::Outcome, instance, row.columns.outcome.name(), n);
        if let Some(id) = row.columns.id_instance {
            let hour = row.received_at.div_euclid(HOUR);
            *self.hours.entry((id, hour)).or_insert(0) += n;
        }
    }

    /// Notes when an event arrived, and that its account was heard of.
    fn see(&mut self, row: &'t Row) {
        let (least, most) = self
            .block_ranges
            .entry(row.seq / BLOCK_EVENTS)
            .or_insert((row.received_at, row.received_at));
        *least = row.received_at.min(*least);
        *most = row.received_at.max(*most);
        if let Some(id) = row.columns.id_instance {
            let seen = self.instances.entry(id).or_insert(SeenInstance {
                newest: row,
                type_instance: None,
            });
            seen.newest = row;
            seen.type_instance = row.columns.type_instance.as_deref().or(seen.type_instance);
        }
    }

    pub(super) fn add(&mut self, measure: Measure, instance: i64, value: &'t str, n: i64) {
        *self.counter.entry((measure, instance, value)).or_insert(0) += n;
    }

    /// Posts the terms of the columns of an event at `seq`.
    pub(super) fn post_columns(&mut self, row: &Row, seq: i64) -> Result<()> {
        if let Some(id) = row.columns.id_instance {
            self.terms.post(TermKind::Instance, &id.to_string(), seq)?;
            let rare = row.columns.type_webhook.as_deref();
            if let Some(pair) = rare.and_then(|name| pair(id, name)) {
                self.terms.post(TermKind::InstanceType, &pair, seq)?;
            }
        }
        let outcome = Some(row.columns.outcome).filter(|outcome| *outcome != OutcomeKind::Known);
        for (kind, value) in [
            (TermKind::TypeWebhook, row.columns.type_webhook.as_deref()),
            (TermKind::TypeMessage, row.columns.type_message.as_deref()),
            (TermKind::Chat, row.columns.chat_id.as_deref()),
            (TermKind::Outcome, outcome.map(OutcomeKind::name)),
            (TermKind::Drift, row.has_drift.then_some("")),
        ] {
            if let Some(value) = value {
                self.terms.post(kind, value, seq)?;
            }
        }
        Ok(())
    }

    /// Projects an account's state, socket and quota.
    pub(super) fn account(&mut self, row: &Row, notification: &Notification<'_>) -> Result<()> {
        let Some(id) = row.columns.id_instance else {
            return Ok(());
        };
        let column = match notification {
            Notification::StateInstanceChanged(_) => {
                return match notification.state_name() {
                    Some(name) => self.state(id, row, name),
                    None => Ok(()),
                };
            }
            Notification::StatusInstanceChanged(_) if notification.state_name().is_none() => {
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

    fn state(&self, id: i64, row: &Row, name: &str) -> Result<()> {
        let at = row.moment().timestamp;
        let earlier: Option<i64> = self
            .projection
            .prepare_cached(
                "SELECT min(seq) FROM state
                 WHERE id_instance = ?1 AND timestamp = ?2 AND name = ?3 AND seq > ?4",
            )?
            .query_row(params![id, at, name, self.forgotten], |row| row.get(0))?;
        if let Some(earlier) = earlier.filter(|_| row.columns.timestamp.is_some()) {
            self.insert_duplicate(row.seq, earlier)?;
        }
        self.projection
            .prepare_cached("INSERT INTO state VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![id, at, row.seq, name])
            .map(drop)
    }

    pub(super) fn insert_duplicate(&self, seq: i64, of_seq: i64) -> Result<()> {
        self.projection
            .prepare_cached("INSERT OR IGNORE INTO duplicate VALUES (?1, ?2)")?
            .execute([seq, of_seq])
            .map(drop)
    }

    /// Whether `moment` is newer than the event `other`, if there is one.
    pub(super) fn is_newer(&self, moment: Moment, other: Option<i64>) -> Result<bool> {
        Ok(match other {
            Some(other) => moment > self.moment(other)?,
            None => true,
        })
    }

    /// When an earlier event happened. An event that is no longer readable is older than all
    /// others.
    pub(super) fn moment(&self, seq: i64) -> Result<Moment> {
        let mut statement = self
            .events
            .prepare_cached("SELECT timestamp, received_at FROM event WHERE seq = ?1")?;
        let moment =
            statement.query_row([seq], |row| Ok(Moment::new(row.get(0)?, row.get(1)?, seq)));
        Ok(moment.unwrap_or(Moment::new(None, 0, seq)))
    }

    fn write_instance(&self, id: i64, seen: &SeenInstance<'_>) -> Result<()> {
        self.projection
            .prepare_cached(
                "INSERT INTO instance (id_instance, type_instance, newest, received_at, type_webhook,
                     timestamp)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET newest = excluded.newest,
                     received_at = excluded.received_at, type_webhook = excluded.type_webhook,
                     timestamp = excluded.timestamp,
                     type_instance = coalesce(excluded.type_instance, type_instance)",
            )?
            .execute(params![
                id,
                seen.type_instance,
                seen.newest.seq,
                seen.newest.received_at,
                seen.newest.columns.type_webhook,
                seen.newest.columns.timestamp
            ])
            .map(drop)
    }

    /// Writes the accumulated changes.
    pub(super) fn finish(mut self) -> Result<()> {
        self.write_aliases()?;
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
        for ((measure, id_instance, value), n) in &self.counter {
            self.projection
                .prepare_cached(
                    "INSERT INTO counter VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET n = n + excluded.n",
                )?
                .execute(params![*measure as i64, id_instance, value, n])?;
        }
        for ((id_instance, hour), n) in &self.hours {
            self.projection
                .prepare_cached(
                    "INSERT INTO hour VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET n = n + excluded.n",
                )?
                .execute([id_instance, hour, n])?;
            if *n < 0 {
                self.projection
                    .prepare_cached(
                        "DELETE FROM hour WHERE id_instance = ?1 AND hour = ?2 AND n <= 0",
                    )?
                    .execute([id_instance, hour])?;
            }
        }
        for (block, (least, most)) in &self.block_ranges {
            self.projection
                .prepare_cached(
                    "INSERT INTO block_range VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET least = min(least, excluded.least),
                         most = max(most, excluded.most)",
                )?
                .execute([block, least, most])?;
        }
        Ok(())
    }
}
