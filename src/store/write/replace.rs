//! Replaces stored bodies. The rest of each row stays as it is.

use rusqlite::{Connection, Result, Transaction, TransactionBehavior, params_from_iter};

use crate::store::stored::{Stored, read};

const ROW: &str = "SELECT * FROM event WHERE seq = ?1";

const DELETE: &str = "DELETE FROM event WHERE seq = ?1";

/// A body as it is stored.
#[derive(Debug)]
pub(in crate::store) struct StoredBody {
    /// The event.
    pub(in crate::store) seq: i64,
    /// The column `body`.
    pub(in crate::store) body: Vec<u8>,
    /// The column `size`.
    pub(in crate::store) size: Option<i64>,
}

/// Runs `change` in a transaction that may delete and insert rows of `event`. It must not delete what refers to them.
pub(super) fn transaction<T>(
    connection: &Connection,
    change: impl FnOnce(&Transaction<'_>) -> Result<T>,
) -> Result<T> {
    // The setting has no effect inside a transaction.
    connection.pragma_update(None, "foreign_keys", "OFF")?;
    let changed = in_transaction(connection, change);
    connection.pragma_update(None, "foreign_keys", "ON")?;
    changed
}

/// Runs `change` in a transaction.
pub(super) fn in_transaction<T>(
    connection: &Connection,
    change: impl FnOnce(&Transaction<'_>) -> Result<T>,
) -> Result<T> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let changed = change(&transaction)?;
    transaction.commit()?;
    Ok(changed)
}

/// Replaces the bodies of these events, which are in ascending order. Returns those that were still stored.
///
/// An UPDATE would leave a page as empty as it becomes, and so would a row that is inserted right after it was deleted.
/// After all rows of a run are deleted, the new ones fill their pages, and whole pages become free
/// (docs/decisions/0036-thin-by-delete-and-insert.md).
pub(super) fn replace<'b>(
    transaction: &Transaction<'_>,
    bodies: impl IntoIterator<Item = &'b StoredBody>,
) -> Result<Vec<i64>> {
    let mut replaced = Vec::new();
    let mut select = transaction.prepare_cached(ROW)?;
    let (body, size) = (select.column_index("body")?, select.column_index("size")?);
    for new in bodies {
        let mut rows = select.query([new.seq])?;
        // The event may have been deleted since it was read.
        let Some(row) = rows.next()? else {
            continue;
        };
        let mut values = read(row)?;
        values[body] = Stored::Blob(new.body.clone());
        values[size] = new.size.map_or(Stored::Null, Stored::Integer);
        replaced.push((new.seq, values));
    }
    let mut delete = transaction.prepare_cached(DELETE)?;
    for (seq, _) in &replaced {
        delete.execute([seq])?;
    }
    let places = vec!["?"; select.column_count()].join(", ");
    let mut insert = transaction.prepare_cached(&format!("INSERT INTO event VALUES ({places})"))?;
    let mut seqs = Vec::with_capacity(replaced.len());
    for (seq, values) in replaced {
        insert.execute(params_from_iter(values))?;
        seqs.push(seq);
    }
    Ok(seqs)
}
