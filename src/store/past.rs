//! What stays known of an account after its events are deleted. The writer keeps it in the database, and the
//! projection derives it from the same events; both fold event by event, so that they agree.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::model::Moment;
use crate::notification::read;
use crate::store::event_connection::EventConnection;

/// The `typeWebhook` of a state.
const STATE: &str = "stateInstanceChanged";

/// Selects what [`PastEvent::read`] reads.
macro_rules! past_events {
    () => {
        "SELECT seq, received_at, id_instance, type_instance, type_webhook, timestamp,
                CASE WHEN type_webhook = 'stateInstanceChanged' AND outcome <> 'malformed' THEN body END, size
         FROM event "
    };
}
pub(in crate::store) use past_events;

const THROUGH: &str = "SELECT seq FROM retention";

/// Selects what [`PastInstance::read`] reads.
macro_rules! past_instances {
    ($condition:literal) => {
        concat!(
            "SELECT type_instance, seq, received_at, type_webhook, timestamp, state, state_since,
                    state_timestamp, state_seq, id_instance
             FROM past_instance ",
            $condition
        )
    };
}

const READ: &str = past_instances!("");

const READ_ONE: &str = past_instances!("WHERE id_instance = ?1");

const WRITE: &str = "
    INSERT OR REPLACE INTO past_instance (type_instance, seq, received_at, type_webhook, timestamp,
        state, state_since, state_timestamp, state_seq, id_instance)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// The last event that retention has deleted: every event up to it is gone. 0 if there is none.
pub(in crate::store) fn deleted_through(events: &Connection) -> Result<i64> {
    let found = events
        .prepare_cached(THROUGH)?
        .query_row([], |row| row.get(0));
    Ok(found.optional()?.unwrap_or(0))
}

/// The state of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct PastState {
    pub(in crate::store) name: String,
    /// When the account entered it, seconds since 1970.
    pub(in crate::store) since: i64,
    /// When it was last reported, seconds since 1970.
    pub(in crate::store) timestamp: i64,
    /// The event that reported it last.
    pub(in crate::store) seq: i64,
}

impl PastState {
    /// The state that one event reports.
    pub(in crate::store) fn reported(name: &str, at: Moment) -> Self {
        Self {
            name: name.to_owned(),
            since: at.timestamp,
            timestamp: at.timestamp,
            seq: at.seq,
        }
    }

    /// The state after `self`, given the next event. An event that arrived late changes nothing.
    pub(in crate::store) fn followed_by(self, next: Self) -> Self {
        if (next.timestamp, next.seq) < (self.timestamp, self.seq) {
            self
        } else if next.name == self.name {
            Self {
                since: self.since,
                ..next
            }
        } else {
            next
        }
    }
}

/// The part of an event that stays known.
pub(in crate::store) struct PastEvent {
    pub(in crate::store) seq: i64,
    pub(in crate::store) received_at: i64,
    pub(in crate::store) id_instance: Option<i64>,
    pub(in crate::store) type_instance: Option<String>,
    pub(in crate::store) type_webhook: Option<String>,
    pub(in crate::store) timestamp: Option<i64>,
    state: Option<PastState>,
}

impl PastEvent {
    /// Reads the first columns of a row of [`past_events`].
    pub(in crate::store) fn read(
        row: &rusqlite::Row<'_>,
        events: &EventConnection,
    ) -> Result<Self> {
        let (seq, received_at, timestamp) = (row.get(0)?, row.get(1)?, row.get(5)?);
        let body = events.body(row, (6, 7))?;
        let state = body.as_deref().and_then(|body| {
            let notification = read(STATE, body)?;
            let at = Moment::new(timestamp, received_at, seq);
            Some(PastState::reported(notification.state_name()?, at))
        });
        Ok(Self {
            seq,
            received_at,
            id_instance: row.get(2)?,
            type_instance: row.get(3)?,
            type_webhook: row.get(4)?,
            timestamp,
            state,
        })
    }
}

/// What stays known of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct PastInstance {
    pub(in crate::store) type_instance: Option<String>,
    pub(in crate::store) seq: i64,
    pub(in crate::store) received_at: i64,
    pub(in crate::store) type_webhook: Option<String>,
    pub(in crate::store) timestamp: Option<i64>,
    pub(in crate::store) state: Option<PastState>,
}

impl PastInstance {
    fn read(row: &rusqlite::Row<'_>) -> Result<Self> {
        let name: Option<String> = row.get(5)?;
        let state = name.map(|name| -> Result<_> {
            Ok(PastState {
                name,
                since: row.get(6)?,
                timestamp: row.get(7)?,
                seq: row.get(8)?,
            })
        });
        Ok(Self {
            type_instance: row.get(0)?,
            seq: row.get(1)?,
            received_at: row.get(2)?,
            type_webhook: row.get(3)?,
            timestamp: row.get(4)?,
            state: state.transpose()?,
        })
    }

    /// Adds the next event.
    fn add(before: Option<Self>, event: PastEvent) -> Self {
        let (type_instance, state) =
            before.map_or((None, None), |before| (before.type_instance, before.state));
        Self {
            type_instance: event.type_instance.or(type_instance),
            seq: event.seq,
            received_at: event.received_at,
            type_webhook: event.type_webhook,
            timestamp: event.timestamp,
            state: match (state, event.state) {
                (Some(state), Some(next)) => Some(state.followed_by(next)),
                (state, next) => next.or(state),
            },
        }
    }
}

/// The accounts of the deleted events.
#[derive(Debug, Default)]
pub(in crate::store) struct Past(BTreeMap<i64, PastInstance>);

impl Past {
    /// Reads all accounts.
    pub(in crate::store) fn all(events: &Connection) -> Result<Self> {
        let mut statement = events.prepare_cached(READ)?;
        let rows = statement.query_map([], |row| Ok((row.get(9)?, PastInstance::read(row)?)))?;
        rows.collect::<Result<_>>().map(Self)
    }

    /// Adds the next event. Reads its account from `events` if it is not in memory yet.
    pub(in crate::store) fn add(&mut self, events: &Connection, event: PastEvent) -> Result<()> {
        let Some(id) = event.id_instance else {
            return Ok(());
        };
        let before = match self.0.remove(&id) {
            Some(before) => Some(before),
            None => events
                .prepare_cached(READ_ONE)?
                .query_row([id], PastInstance::read)
                .optional()?,
        };
        self.0.insert(id, PastInstance::add(before, event));
        Ok(())
    }

    /// The accounts by `idInstance`.
    pub(in crate::store) fn instances(&self) -> impl Iterator<Item = (i64, &PastInstance)> {
        self.0.iter().map(|(id, instance)| (*id, instance))
    }

    /// Writes the accounts in memory.
    pub(in crate::store) fn write(&self, events: &Connection) -> Result<()> {
        let mut write = events.prepare_cached(WRITE)?;
        for (id, instance) in self.instances() {
            let state = instance.state.as_ref();
            write.execute(params![
                instance.type_instance,
                instance.seq,
                instance.received_at,
                instance.type_webhook,
                instance.timestamp,
                state.map(|state| &state.name),
                state.map(|state| state.since),
                state.map(|state| state.timestamp),
                state.map(|state| state.seq),
                id,
            ])?;
        }
        Ok(())
    }
}
