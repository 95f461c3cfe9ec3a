//! Finds out whether a body is stored already.
//!
//! Digests are random: an index of them that is written with each commit dirties a page for nearly
//! each row, and those pages were four fifths of the log. So the keys of the newest events stand in
//! memory, and go to the index behind the commits, sorted, some with each: the memtable of a
//! log-structured merge tree, whose log is the events themselves. After a crash it is read from
//! there again.

use std::collections::BTreeSet;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Result, params};

use crate::store::event::{BodyDigest, NewEvent};

/// Events of which the keys gather in memory before they go to the index. More of them go to fewer
/// pages, and more are read at the start; there are twice as many at most.
const GENERATION: usize = 8192;

/// Keys that go to the index with each new event, so that a generation is written before the next.
const WRITTEN_FOR_EACH: usize = 2;

/// Fewer are not written: a page is changed for all of them.
const LEAST_WRITTEN: usize = 128;

/// A body without a timestamp that comes again within this time is the same event: GREEN-API keeps
/// a notification for 24 hours, and an hour is for clocks and queues.
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

const PROGRESS: &str = "UPDATE event_key_progress SET seq = ?1";

/// What an event with a timestamp is found by, in the order of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    timestamp: i64,
    prefix: Prefix,
    seq: i64,
}

/// The first bytes of a digest.
type Prefix = [u8; 8];

fn prefix(digest: &BodyDigest) -> Prefix {
    std::array::from_fn(|place| digest[place])
}

impl Key {
    /// The key of `event` at `seq`. Those without a timestamp have an index of their own; they are
    /// few.
    fn new(event: &NewEvent, seq: i64) -> Option<Self> {
        event.timestamp.map(|timestamp| Self {
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

/// Which bodies are stored. It belongs to the writer, and follows its transactions.
#[derive(Debug)]
pub(in crate::store) struct DedupIndex {
    /// The keys of the newest events.
    recent: BTreeSet<Key>,
    /// How many events they are of; those without a timestamp have no key.
    recent_events: usize,
    /// The keys of the events before them, on their way to the index.
    leaving: BTreeSet<Key>,
    /// The last of the events before them, where the index is not that far yet.
    leaving_to: Option<i64>,
    /// The last event.
    newest: i64,
    /// Events of which the keys are to be written.
    owed: usize,
    transaction: Transaction,
}

/// What the open transaction did.
#[derive(Debug, Default)]
struct Transaction {
    events: usize,
    newest: i64,
    /// Keys that it put into `recent`.
    added: Vec<Key>,
    /// How many keys of `leaving` it wrote, from the first.
    written: usize,
    /// Whether it wrote the last.
    wrote_all: bool,
}

impl DedupIndex {
    /// Reads the keys that are not in the index yet, of the events up to `newest`.
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
            leaving: BTreeSet::new(),
            leaving_to: None,
            newest,
            owed: 0,
            transaction: Transaction::default(),
        })
    }

    /// Asks for each event by itself. One that cannot be read is not found when it comes again, and
    /// is stored once more then.
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

    /// The event that has the same body, be it of the open transaction.
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
        for keys in [&self.leaving, &self.recent] {
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

    /// An event of the open transaction.
    pub(in crate::store) fn add(&mut self, event: &NewEvent, seq: i64) {
        self.transaction.events += 1;
        self.transaction.newest = seq;
        if let Some(key) = Key::new(event, seq) {
            self.recent.insert(key);
            self.transaction.added.push(key);
        }
    }

    /// Writes what is due to the index, within the open transaction.
    pub(in crate::store) fn write(&mut self, connection: &Connection) -> Result<()> {
        let due = self.owed + WRITTEN_FOR_EACH * self.transaction.events;
        let Some(last) = self.leaving_to.filter(|_| due >= LEAST_WRITTEN) else {
            return Ok(());
        };
        for key in self.leaving.iter().take(due) {
            key.write(connection)?;
            self.transaction.written += 1;
        }
        if self.transaction.written == self.leaving.len() {
            connection.prepare_cached(PROGRESS)?.execute([last])?;
            self.transaction.wrote_all = true;
        }
        Ok(())
    }

    /// The transaction was committed.
    pub(in crate::store) fn committed(&mut self) {
        let done = std::mem::take(&mut self.transaction);
        self.newest = done.newest.max(self.newest);
        self.recent_events += done.events;
        self.owed += WRITTEN_FOR_EACH * done.events;
        if done.written > 0 {
            self.owed = 0;
        }
        for _ in 0..done.written {
            self.leaving.pop_first();
        }
        if done.wrote_all {
            self.leaving_to = None;
        }
        if self.leaving_to.is_none() && self.recent_events >= GENERATION {
            self.leaving = std::mem::take(&mut self.recent);
            self.leaving_to = Some(self.newest);
            (self.recent_events, self.owed) = (0, 0);
        }
    }

    /// The transaction was rolled back.
    pub(in crate::store) fn rolled_back(&mut self) {
        for key in std::mem::take(&mut self.transaction).added {
            self.recent.remove(&key);
        }
    }
}

/// Puts an event into the index whose timestamp was read anew, while no server runs.
pub(in crate::store) fn index(connection: &Connection, event: &NewEvent, seq: i64) -> Result<()> {
    Key::new(event, seq).map_or(Ok(()), |key| key.write(connection))
}
