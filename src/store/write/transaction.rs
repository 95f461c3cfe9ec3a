//! One transaction of the writer, from `BEGIN` to `COMMIT`.

use rusqlite::{Connection, Result, params};

use super::dedup::DedupIndex;
use crate::model::Origin;
use crate::store::columns::{EventColumns, event_columns};
use crate::store::compress::Compressor;
use crate::store::event::{Appended, NewEvent};

const INSERT: &str = concat!(
    "INSERT INTO event (",
    event_columns!(),
    ", received_at, digest, body, size, seq)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
);

/// Replaces the drift of an event.
pub(in crate::store) const INSERT_DRIFT: &str = "
    INSERT INTO drift (seq, fields) VALUES (?1, ?2)
    ON CONFLICT (seq) DO UPDATE SET fields = excluded.fields";

const INSERT_ATTENTION: &str = "INSERT INTO attention (seq, meaning) VALUES (?1, ?2)";

const INSERT_ORIGIN: &str = "INSERT INTO origin (seq, name) VALUES (?1, ?2)";

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
    compressor: Option<&'w mut Compressor>,
    is_committed: bool,
}

impl<'w> Transaction<'w> {
    /// Begins a transaction and takes SQLite's write lock. Bodies are compressed if there is a compressor.
    pub(super) fn begin(
        connection: &'w Connection,
        dedup: &'w mut DedupIndex,
        compressor: Option<&'w mut Compressor>,
    ) -> Result<Self> {
        run(connection, "BEGIN IMMEDIATE")?;
        Ok(Self {
            connection,
            dedup,
            compressor,
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
        let seq = self.insert(event, None)?;
        Ok(Appended {
            seq,
            repeated: false,
        })
    }

    /// Inserts an event, with the next `seq` if it is given none. Returns its `seq`.
    pub(super) fn insert(&mut self, event: &NewEvent, seq: Option<i64>) -> Result<i64> {
        let mut insert = self.connection.prepare_cached(INSERT)?;
        event.columns.bind(&mut insert)?;
        insert.raw_bind_parameter(EventColumns::COUNT + 1, event.received_at.0)?;
        insert.raw_bind_parameter(EventColumns::COUNT + 2, event.digest)?;
        let frame = match &mut self.compressor {
            Some(compressor) => compressor.compress_at_once(&event.body),
            None => None,
        };
        let size = frame.map(|_| (event.body.len() as u64).cast_signed());
        insert.raw_bind_parameter(EventColumns::COUNT + 3, frame.unwrap_or(&event.body))?;
        insert.raw_bind_parameter(EventColumns::COUNT + 4, size)?;
        insert.raw_bind_parameter(EventColumns::COUNT + 5, seq)?;
        insert.raw_execute()?;
        let seq = self.connection.last_insert_rowid();
        if let Some(fields) = &event.drift {
            self.connection
                .prepare_cached(INSERT_DRIFT)?
                .execute(params![seq, fields])?;
        }
        if let Some(meaning) = event.attention {
            self.connection
                .prepare_cached(INSERT_ATTENTION)?
                .execute(params![seq, meaning])?;
        }
        if event.origin != Origin::Webhook {
            self.connection
                .prepare_cached(INSERT_ORIGIN)?
                .execute(params![seq, event.origin.name()])?;
        }
        self.dedup.add(event, seq);
        Ok(seq)
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
