//! The dedup index: finds the stored event that has the same body.
//!
//! Digests are random, so updating an index of them with each commit dirties a page for nearly every row.
//! Those pages were four fifths of the WAL. Instead, the keys of the newest events are kept in memory and
//! flushed to the index later, in sorted order, a few with each commit. This is the memtable of a
//! log-structured merge tree; the events themselves are its write-ahead log. After a crash the keys are read
//! back from them.

use std::collections::BTreeSet;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Result, params};

use crate::store::event::{BodyDigest, NewEvent};

/// Events whose keys are collected in memory before they are flushed to the index. A larger generation
/// dirties fewer pages per key, but makes the start read more events. Memory holds the keys of at most twice
/// as many events: one generation is collected while the previous one is flushed.
const GENERATION: usize = 8192;

/// Keys to flush per new event. With more than one, a generation is flushed before the next one is full.
const FLUSHED_PER_EVENT: usize = 2;

/// Keys in the smallest flush. Fewer wait for the next commit, because neighbouring keys share a dirty page.
const MIN_FLUSH: usize = 128;

/// Milliseconds within which a body without a timestamp counts as a duplicate; after that it is a new event.
/// GREEN-API keeps a notification for 24 hours, and one hour is added for clock differences and queues.
const UNTIMED_DUPLICATE_MILLIS: i64 = (24 + 1) * 60 * 60 * 1000;

const FIND_UNTIMED: &str = "
    SELECT seq FROM event
    WHERE timestamp IS NULL AND digest = ?1 AND received_at >= ?2
    ORDER BY received_at DESC LIMIT 1";

const FIND: &str = "
    SELECT event.seq FROM event_key CROSS JOIN event ON event.seq = event_key.seq
    WHERE event_key.timestamp = ?1 AND event_key.prefix = ?2
      AND event.timestamp = ?1 AND event.digest = ?3
    LIMIT 1";

const IS_SAME: &str = "SELECT 1 FROM event WHERE seq = ?1 AND digest = ?2";

const INDEXED: &str = "SELECT seq FROM event_key_progress";

const READ: &str = "
    SELECT timestamp, digest, seq FROM event WHERE seq > ?1 AND timestamp IS NOT NULL";

const READ_ONE: &str = "
    SELECT timestamp, digest, seq FROM event WHERE seq = ?1 AND timestamp IS NOT NULL";

const INSERT: &str = "INSERT OR IGNORE INTO event_key VALUES (?1, ?2, ?3)";

const DELETE: &str = "DELETE FROM event_key WHERE timestamp = ?1 AND prefix = ?2 AND seq = ?3";

const PROGRESS: &str = "UPDATE event_key_progress SET seq = ?1";

/// Identifies an event with a timestamp. Keys sort in the order of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    timestamp: i64,
    prefix: Prefix,
    seq: i64,
}

/// The first bytes of a digest.
type Prefix = [u8; 8];

fn prefix(digest: &BodyDigest) -> Prefix {
    std::array::from_fn(|index| digest[index])
}

impl Key {
    /// The key of `event` at `seq`; `None` if the event has no timestamp. Such events are few and have a
    /// separate index.
    fn new(event: &NewEvent, seq: i64) -> Option<Self> {
        event.columns.timestamp.map(|timestamp| Self {
            timestamp,
            prefix: prefix(&event.digest),
            seq,
        })
    }

    fn read(row: &rusqlite::Row<'_>) -> Result<Self> {
        Ok(Self {
            timestamp: row.get(0)?,
            prefix: prefix(&row.get(1)?),
            seq: row.get(2)?,
        })
    }

    fn write(self, connection: &Connection) -> Result<()> {
        connection
            .prepare_cached(INSERT)?
            .execute(params![self.timestamp, self.prefix, self.seq])
            .map(drop)
    }
}

/// Knows which bodies are stored. Owned by the writer; it is committed and rolled back with the writer's
/// transactions.
#[derive(Debug)]
pub(in crate::store) struct DedupIndex {
    /// Keys of the newest events: the generation that is being collected.
    recent: BTreeSet<Key>,
    /// Events in that generation, including those without a timestamp, which have no key.
    recent_events: usize,
    /// Keys of the previous generation that are not in the index yet.
    flushing: BTreeSet<Key>,
    /// `seq` of the last event of the previous generation; `None` once that generation is flushed.
    flushing_to: Option<i64>,
    /// `seq` of the last committed event.
    newest: i64,
    /// Keys to flush that earlier transactions postponed.
    postponed: usize,
    transaction: Transaction,
}

/// Changes of the open transaction.
#[derive(Debug, Default)]
struct Transaction {
    events: usize,
    newest: i64,
    /// Keys that it added to `recent`.
    added: Vec<Key>,
    /// Number of keys, from the start of `flushing`, that it wrote to the index.
    flushed: usize,
    /// Whether it wrote the last of them.
    flushed_all: bool,
}

impl DedupIndex {
    /// Reads the keys that are not in the index yet from the events up to `newest`.
    pub(in crate::store) fn read(connection: &Connection, newest: i64) -> Result<Self> {
        let indexed: i64 = connection.query_row(INDEXED, [], |row| row.get(0))?;
        let read = connection
            .prepare(READ)?
            .query_map([indexed], Key::read)?
            .collect::<Result<_>>();
        let recent = match read {
            Err(failure) if failure.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                Self::read_around_damage(connection, indexed, newest)?
            }
            read => read?,
        };
        Ok(Self {
            recent,
            recent_events: usize::try_from(newest - indexed).unwrap_or(0),
            flushing: BTreeSet::new(),
            flushing_to: None,
            newest,
            postponed: 0,
            transaction: Transaction::default(),
        })
    }

    /// Reads each event on its own and skips unreadable ones. A later duplicate of a skipped event is not
    /// recognized and is stored as a new event.
    fn read_around_damage(
        connection: &Connection,
        indexed: i64,
        newest: i64,
    ) -> Result<BTreeSet<Key>> {
        let mut statement = connection.prepare(READ_ONE)?;
        let mut keys = BTreeSet::new();
        for seq in indexed + 1..=newest {
            if let Ok(key) = statement.query_row([seq], Key::read) {
                keys.insert(key);
            }
        }
        Ok(keys)
    }

    /// Finds the event that has the same body. It may be an event of the open transaction.
    pub(in crate::store) fn find(
        &self,
        connection: &Connection,
        event: &NewEvent,
    ) -> Result<Option<i64>> {
        let Some(first) = Key::new(event, i64::MIN) else {
            let since = event.received_at.0.saturating_sub(UNTIMED_DUPLICATE_MILLIS);
            return connection
                .prepare_cached(FIND_UNTIMED)?
                .query_row((event.digest, since), |row| row.get(0))
                .optional();
        };
        let last = Key {
            seq: i64::MAX,
            ..first
        };
        for keys in [&self.flushing, &self.recent] {
            for &Key { seq, .. } in keys.range(first..=last) {
                let mut is_same = connection.prepare_cached(IS_SAME)?;
                if is_same.exists((seq, event.digest))? {
                    return Ok(Some(seq));
                }
            }
        }
        connection
            .prepare_cached(FIND)?
            .query_row((first.timestamp, first.prefix, event.digest), |row| {
                row.get(0)
            })
            .optional()
    }

    /// Adds an event that the open transaction has inserted.
    pub(in crate::store) fn add(&mut self, event: &NewEvent, seq: i64) {
        self.transaction.events += 1;
        self.transaction.newest = seq;
        if let Some(key) = Key::new(event, seq) {
            self.recent.insert(key);
            self.transaction.added.push(key);
        }
    }

    /// Flushes the keys that are due, within the open transaction.
    pub(in crate::store) fn write(&mut self, connection: &Connection) -> Result<()> {
        let due = self.postponed + FLUSHED_PER_EVENT * self.transaction.events;
        let Some(last) = self.flushing_to.filter(|_| due >= MIN_FLUSH) else {
            return Ok(());
        };
        for key in self.flushing.iter().take(due) {
            key.write(connection)?;
            self.transaction.flushed += 1;
        }
        if self.transaction.flushed == self.flushing.len() {
            connection.prepare_cached(PROGRESS)?.execute([last])?;
            self.transaction.flushed_all = true;
        }
        Ok(())
    }

    /// Applies the changes of the transaction, which was committed.
    pub(in crate::store) fn committed(&mut self) {
        let done = std::mem::take(&mut self.transaction);
        self.newest = done.newest.max(self.newest);
        self.recent_events += done.events;
        self.postponed += FLUSHED_PER_EVENT * done.events;
        if done.flushed > 0 {
            self.postponed = 0;
        }
        for _ in 0..done.flushed {
            self.flushing.pop_first();
        }
        if done.flushed_all {
            self.flushing_to = None;
        }
        if self.flushing_to.is_none() && self.recent_events >= GENERATION {
            self.flushing = std::mem::take(&mut self.recent);
            self.flushing_to = Some(self.newest);
            (self.recent_events, self.postponed) = (0, 0);
        }
    }

    /// Drops the keys of deleted events, once their deletion is committed, so that they are not flushed later.
    pub(super) fn deleted(&mut self, keys: &[Key]) {
        for key in keys {
            self.recent.remove(key);
            self.flushing.remove(key);
        }
    }

    /// Discards the changes of the transaction, which was rolled back.
    pub(in crate::store) fn rolled_back(&mut self) {
        for key in std::mem::take(&mut self.transaction).added {
            self.recent.remove(&key);
        }
    }
}

/// Indexes an event whose timestamp changed when it was parsed again.
pub(super) fn index(
    connection: &Connection,
    timestamp: Option<i64>,
    digest: BodyDigest,
    seq: i64,
) -> Result<()> {
    key(timestamp, Some(digest), seq).map_or(Ok(()), |key| key.write(connection))
}

/// The key of a stored event; `None` if the event has no timestamp or its digest is damaged.
pub(super) fn key(timestamp: Option<i64>, digest: Option<BodyDigest>, seq: i64) -> Option<Key> {
    Some(Key {
        timestamp: timestamp?,
        prefix: prefix(&digest?),
        seq,
    })
}

/// Removes keys from the index, in its order, so that each page is touched once.
pub(super) fn delete(connection: &Connection, keys: &mut [Key]) -> Result<()> {
    keys.sort_unstable();
    let mut delete = connection.prepare_cached(DELETE)?;
    for key in keys {
        delete.execute(params![key.timestamp, key.prefix, key.seq])?;
    }
    Ok(())
}
