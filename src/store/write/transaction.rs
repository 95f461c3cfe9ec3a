//! One transaction of the writer, from `BEGIN` to `COMMIT`.

use rusqlite::{Connection, Result, params};

use super::dedup::DedupIndex;
use crate::store::columns::{EventColumns, event_columns};
use crate::store::event::{Appended, NewEvent};

const INSERT: &str = concat!(
    "INSERT INTO event (",
    event_columns!(),
    ", received_at, digest, body)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
);

/// Replaces the drift of an event.
pub(in crate::store) const INSERT_DRIFT: &str = "
    INSERT INTO drift (seq, fields) VALUES (?1, ?2)
    ON CONFLICT (seq) DO UPDATE SET fields = excluded.fields";

const COUNT_DUPLICATE: &str = "
    INSERT INTO repeat (seq, deliveries, last_received_at)
    SELECT seq, 2, max(received_at, ?2) FROM event WHERE seq = ?1
    ON CONFLICT (seq) DO UPDATE SET
        deliveries = deliveries + 1,
        last_received_at = max(last_received_at, excluded.last_received_at)";

/// An open transaction. Dropping it without [`commit`](Self::commit) rolls it back, in the database and
/// in the dedup index.
pub(super) struct Transaction<'w> {
    connection: &'w Connection,
    dedup: &'w mut DedupIndex,
    is_committed: bool,
}

impl<'w> Transaction<'w> {
    /// Begins a transaction and takes SQLite's write lock.
    pub(super) fn begin(connection: &'w Connection, dedup: &'w mut DedupIndex) -> Result<Self> {
        run(connection, "BEGIN IMMEDIATE")?;
        Ok(Self {
            connection,
            dedup,
            is_committed: false,
        })
    }

    /// Inserts an event, or counts one more delivery if the same body is stored already.
    ///
    /// The dedup index is asked before the insert: an insert that violates a unique index would use up a
    /// `seq`, and a gap looks like a lost event.
    pub(super) fn append(&mut self, event: &NewEvent) -> Result<Appended> {
        if let Some(seq) = self.dedup.find(self.connection, event)? {
            self.connection
                .prepare_cached(COUNT_DUPLICATE)?
                .execute((seq, event.received_at.0))?;
            return Ok(Appended {
                seq,
                repeated: true,
            });
        }
        let mut insert = self.connection.prepare_cached(INSERT)?;
        event.columns.bind(&mut insert)?;
        insert.raw_bind_parameter(EventColumns::COUNT + 1, event.received_at.0)?;
        insert.raw_bind_parameter(EventColumns::COUNT + 2, event.digest)?;
        insert.raw_bind_parameter(EventColumns::COUNT + 3, &event.body[..])?;
        insert.raw_execute()?;
        let seq = self.connection.last_insert_rowid();
        if let Some(fields) = &event.drift {
            self.connection
                .prepare_cached(INSERT_DRIFT)?
                .execute(params![seq, fields])?;
        }
        self.dedup.add(event, seq);
        Ok(Appended {
            seq,
            repeated: false,
        })
    }

    /// Writes the dedup keys that are due and commits. When this returns `Ok`, the rows are on disk.
    pub(super) fn commit(mut self) -> Result<()> {
        self.dedup.write(self.connection)?;
        run(self.connection, "COMMIT")?;
        self.is_committed = true;
        self.dedup.committed();
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.is_committed {
            return;
        }
        self.dedup.rolled_back();
        // SQLite rolls some failed transactions back by itself.
        if !self.connection.is_autocommit() {
            // The writer checks `is_autocommit` after every failure and stops if this failed too.
            let _ = run(self.connection, "ROLLBACK");
        }
    }
}

fn run(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
