//! The file that the backup is written to. Each method that writes is one transaction.
//!
//! The file is in rollback mode, so that it is complete by itself whenever no transaction runs. A server that
//! opens it changes it to WAL mode.

use std::path::{Path, PathBuf};

use rusqlite::{
    CachedStatement, Connection, ErrorCode, OptionalExtension, Result, params_from_iter,
};

use super::error::BackupError;
use super::schema::{Schema, THINNED, quoted};
use super::source::{Slice, Source};
use crate::store::damaged::DamagedSeqs;
use crate::store::error::OpenError;
use crate::store::maintenance::{database, identity};
use crate::store::stored::StoredRow;

/// Events that one transaction deletes, at most.
const DELETED: i64 = 2000;

/// Settings of the connection. Rows are copied as they are, so they are not checked again.
const PRAGMAS: &str = "
    PRAGMA busy_timeout = 5000;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = OFF;
    PRAGMA ignore_check_constraints = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cache_size = -8192;";

/// An exclusive connection to the file.
pub(super) struct Target {
    connection: Connection,
    path: PathBuf,
}

impl Target {
    /// Opens the file at `path`, which may be empty. The caller holds its lock.
    pub(super) fn open(path: &Path) -> std::result::Result<Self, BackupError> {
        let target = Self {
            connection: Connection::open(path).map_err(|error| write_error(path, error))?,
            path: path.to_owned(),
        };
        database::recognize(&target.connection, path)?;
        database::refuse_newer(&target.connection, path)?;
        Ok(target)
    }

    /// The path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self) -> impl Fn(rusqlite::Error) -> BackupError {
        let path = self.path.clone();
        move |error| write_error(&path, error)
    }

    /// Whether nothing was written to the file yet.
    pub(super) fn is_empty(&self) -> std::result::Result<bool, BackupError> {
        let empty = "SELECT count(*) = 0 FROM sqlite_schema";
        self.connection
            .query_row(empty, [], |row| row.get(0))
            .map_err(self.failed())
    }

    /// The schema of the file and the epoch of the database that it was copied from.
    pub(super) fn identity(&self) -> std::result::Result<(Schema, Option<String>), BackupError> {
        let read = || {
            Ok((
                Schema::read(&self.connection)?,
                identity::epoch(&self.connection)?,
            ))
        };
        read().map_err(self.failed())
    }

    /// The newest event in the file and its digest.
    pub(super) fn newest(&self) -> std::result::Result<Option<(i64, Vec<u8>)>, BackupError> {
        let newest = "SELECT seq, digest FROM event ORDER BY seq DESC LIMIT 1";
        self.connection
            .query_row(newest, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(self.failed())
    }

    /// Prepares the file for being written.
    pub(super) fn begin(&self, source: &Source) -> std::result::Result<(), BackupError> {
        let is_empty = self.is_empty()?;
        let page_size = source.page_size().map_err(BackupError::Read)?;
        let begin = || -> Result<String> {
            if is_empty {
                self.connection
                    .pragma_update(None, "page_size", page_size)?;
                self.connection
                    .pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
            }
            self.connection.execute_batch(PRAGMAS)?;
            // A server may have left the file in WAL mode.
            self.connection
                .query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))
        };
        let found = begin().map_err(self.failed())?;
        if found == "delete" {
            return Ok(());
        }
        Err(BackupError::Open(OpenError::Pragma {
            name: "journal_mode",
            wanted: "delete",
            found,
        }))
    }

    /// Creates the tables.
    pub(super) fn create(&self, source: &Source) -> std::result::Result<(), BackupError> {
        let create = || -> Result<()> {
            let transaction = self.connection.unchecked_transaction()?;
            for entry in &source.schema.entries {
                transaction.execute(&entry.sql, [])?;
            }
            transaction.pragma_update(None, "application_id", database::APPLICATION_ID)?;
            identity::write_for_backup(&transaction, &source.epoch)?;
            transaction.commit()
        };
        create().map_err(self.failed())
    }

    /// Replaces the rows of small tables by those of the database.
    pub(super) fn replace(
        &self,
        source: &Source,
        tables: &[&str],
    ) -> std::result::Result<(), BackupError> {
        let transaction = self
            .connection
            .unchecked_transaction()
            .map_err(self.failed())?;
        for table in tables {
            let delete = format!("DELETE FROM {}", quoted(table));
            transaction.execute(&delete, []).map_err(self.failed())?;
            source.each_row(table, |row| {
                insert(&transaction, table, row.len())
                    .and_then(|mut insert| insert.execute(params_from_iter(row)))
                    .map(drop)
                    .map_err(self.failed())
            })?;
        }
        identity::write_for_backup(&transaction, &source.epoch).map_err(self.failed())?;
        transaction.commit().map_err(self.failed())
    }

    /// Deletes events before `oldest`, a bounded number of them. Returns how many; 0 if there are none.
    pub(super) fn forget(
        &self,
        oldest: i64,
        tables: &[(&str, &str)],
    ) -> std::result::Result<u64, BackupError> {
        let forget = || -> Result<u64> {
            let last: Option<i64> = self.connection.query_row(
                "SELECT max(seq) FROM (SELECT seq FROM event WHERE seq < ?1 ORDER BY seq LIMIT ?2)",
                [oldest, DELETED],
                |row| row.get(0),
            )?;
            let Some(last) = last else {
                return Ok(0);
            };
            let transaction = self.connection.unchecked_transaction()?;
            transaction.execute(
                "DELETE FROM event_key WHERE (timestamp, prefix, seq) IN (
                     SELECT timestamp, substr(digest, 1, 8), seq FROM event
                     WHERE seq <= ?1 AND timestamp IS NOT NULL)",
                [last],
            )?;
            for (table, key) in tables {
                let (table, key) = (quoted(table), quoted(key));
                transaction.execute(&format!("DELETE FROM {table} WHERE {key} <= ?1"), [last])?;
            }
            let deleted = transaction.execute("DELETE FROM event WHERE seq <= ?1", [last])?;
            transaction.commit()?;
            Ok(deleted as u64)
        };
        forget().map_err(self.failed())
    }

    /// Adds a slice of events, with their drift and dedup keys. Events that damage keeps out of their table are
    /// added to `damaged`. Returns how many events were written.
    pub(super) fn write(
        &self,
        slice: &Slice,
        damaged: &mut DamagedSeqs,
    ) -> std::result::Result<u64, BackupError> {
        let mut write = || -> Result<u64> {
            let transaction = self.connection.unchecked_transaction()?;
            let mut written = 0;
            let mut keys = Vec::with_capacity(slice.events.len());
            for event in &slice.events {
                let mut statement = insert(&transaction, "event", event.row.len())?;
                match statement.execute(params_from_iter(&event.row)) {
                    Ok(_) => {
                        written += 1;
                        keys.extend(event.key.as_ref().map(|key| (key, event.seq)));
                    }
                    Err(failure) if is_refused(&failure) => damaged.add(event.seq),
                    Err(failure) => return Err(failure),
                }
            }
            for (table, rows) in [("drift", &slice.drift), (THINNED, &slice.thinned)] {
                for row in rows {
                    insert(&transaction, table, row.len())?.execute(params_from_iter(row))?;
                }
            }
            keys.sort_unstable();
            for ((timestamp, prefix), seq) in keys {
                transaction
                    .prepare_cached("INSERT OR IGNORE INTO event_key VALUES (?1, ?2, ?3)")?
                    .execute((timestamp, prefix, seq))?;
            }
            indexed_to(&transaction, slice.last)?;
            transaction.commit()?;
            Ok(written)
        };
        write().map_err(self.failed())
    }

    /// Completes the dedup index. That of a copied database lags behind its events.
    pub(super) fn index(&self) -> std::result::Result<(), BackupError> {
        let index = || -> Result<()> {
            let (newest, indexed): (i64, i64) = self.connection.query_row(
                "SELECT coalesce((SELECT max(seq) FROM event), 0),
                        coalesce((SELECT seq FROM event_key_progress), 0)",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            if indexed >= newest {
                return Ok(());
            }
            let transaction = self.connection.unchecked_transaction()?;
            transaction.execute(
                "INSERT OR IGNORE INTO event_key
                 SELECT timestamp, substr(digest, 1, 8), seq FROM event
                 WHERE timestamp IS NOT NULL AND seq > ?1",
                [indexed],
            )?;
            indexed_to(&transaction, newest)?;
            transaction.commit()
        };
        index().map_err(self.failed())
    }

    /// Makes the rows of a table with a key after `after` and up to `last` equal to `rows`. Returns how many
    /// changed.
    pub(super) fn merge(
        &self,
        table: &str,
        key: &str,
        (after, last): (i64, i64),
        rows: &[(i64, StoredRow)],
    ) -> std::result::Result<u64, BackupError> {
        let merge = || -> Result<u64> {
            let transaction = self.connection.unchecked_transaction()?;
            let mut changed = 0;
            for (_, row) in rows {
                changed += merge_row(&transaction, table, key)?.execute(params_from_iter(row))?;
            }
            let (table, key) = (quoted(table), quoted(key));
            let range = format!("{key} > ?1 AND {key} <= ?2");
            let count = format!("SELECT count(*) FROM {table} WHERE {range}");
            let count: i64 = transaction.query_row(&count, [after, last], |row| row.get(0))?;
            if usize::try_from(count).is_ok_and(|count| count > rows.len()) {
                let keys: Vec<_> = rows.iter().map(|(key, _)| key.to_string()).collect();
                changed += transaction.execute(
                    &format!(
                        "DELETE FROM {table} WHERE {range}
                         AND {key} NOT IN (SELECT value FROM json_each(?3))"
                    ),
                    (after, last, format!("[{}]", keys.join(","))),
                )?;
            }
            transaction.commit()?;
            Ok(changed as u64)
        };
        merge().map_err(self.failed())
    }

    /// Sets the newest seq that was ever assigned, so that seqs of deleted events are not assigned again.
    pub(super) fn set_sequence(&self, sequence: i64) -> std::result::Result<(), BackupError> {
        let set = || -> Result<()> {
            let transaction = self.connection.unchecked_transaction()?;
            transaction.execute("DELETE FROM sqlite_sequence WHERE name = 'event'", [])?;
            transaction.execute(
                "INSERT INTO sqlite_sequence VALUES ('event', ?1)",
                [sequence],
            )?;
            transaction.commit()
        };
        set().map_err(self.failed())
    }

    /// Closes the file.
    pub(super) fn close(self) -> std::result::Result<(), BackupError> {
        let path = self.path;
        self.connection
            .close()
            .map_err(|(_, error)| write_error(&path, error))
    }
}

fn write_error(path: &Path, error: rusqlite::Error) -> BackupError {
    BackupError::Write {
        file: path.to_owned(),
        error,
    }
}

fn insert<'c>(
    connection: &'c Connection,
    table: &str,
    columns: usize,
) -> Result<CachedStatement<'c>> {
    let values = vec!["?"; columns].join(", ");
    connection.prepare_cached(&format!("INSERT INTO {} VALUES ({values})", quoted(table)))
}

/// A statement that inserts a row, or updates the one with its key if they differ.
fn merge_row<'c>(
    connection: &'c Connection,
    table: &str,
    key: &str,
) -> Result<CachedStatement<'c>> {
    let mut info = connection.prepare_cached("SELECT name FROM pragma_table_info(?1)")?;
    let columns: Vec<String> = info
        .query_map([table], |row| row.get(0))?
        .collect::<Result<_>>()?;
    let others = || columns.iter().filter(|column| *column != key);
    let differs: Vec<_> = others()
        .map(|column| format!("{0} IS NOT excluded.{0}", quoted(column)))
        .collect();
    let sets: Vec<_> = others()
        .map(|column| format!("{0} = excluded.{0}", quoted(column)))
        .collect();
    let update = if sets.is_empty() {
        "NOTHING".to_owned()
    } else {
        format!(
            "UPDATE SET {} WHERE {}",
            sets.join(", "),
            differs.join(" OR ")
        )
    };
    connection.prepare_cached(&format!(
        "INSERT INTO {} VALUES ({}) ON CONFLICT ({}) DO {update}",
        quoted(table),
        vec!["?"; columns.len()].join(", "),
        quoted(key),
    ))
}

fn indexed_to(connection: &Connection, seq: i64) -> Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO event_key_progress VALUES (1, ?1)")?
        .execute([seq])
        .map(drop)
}

/// Whether a row does not fit into its table, as a damaged one may not.
fn is_refused(failure: &rusqlite::Error) -> bool {
    failure.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}
