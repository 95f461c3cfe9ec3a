//! The settings of the writing connection, each set and read back.

use rusqlite::Connection;

use super::OpenError;

/// A setting: its name, the value to set, and the value that SQLite then says.
struct Pragma(&'static str, &'static str, &'static str);

/// In this order: `auto_vacuum` can be set only before the first table, and WAL makes page one.
const PRAGMAS: [Pragma; 9] = [
    Pragma("busy_timeout", "5000", "5000"),
    Pragma("auto_vacuum", "INCREMENTAL", "2"),
    Pragma("journal_mode", "WAL", "wal"),
    // The promise: the log is synced at every commit.
    Pragma("synchronous", "FULL", "2"),
    Pragma("foreign_keys", "ON", "1"),
    Pragma("trusted_schema", "OFF", "0"),
    Pragma("cell_size_check", "ON", "1"),
    // After a burst the log shrinks again to this many bytes.
    Pragma("journal_size_limit", "67108864", "67108864"),
    // The writer checkpoints itself, when it has answered.
    Pragma("wal_autocheckpoint", "0", "0"),
];

pub(super) fn set(connection: &Connection) -> Result<(), OpenError> {
    for Pragma(name, value, wanted) in PRAGMAS {
        // Some answer with a row, some do not.
        connection
            .pragma_update_and_check(None, name, value, |_| Ok(()))
            .or_else(|error| {
                if error == rusqlite::Error::QueryReturnedNoRows {
                    Ok(())
                } else {
                    Err(error)
                }
            })?;
        let found = connection.pragma_query_value(None, name, |row| {
            row.get::<_, rusqlite::types::Value>(0)
                .map(|value| match value {
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    other => format!("{other:?}"),
                })
        })?;
        if found != wanted {
            return Err(OpenError::Pragma {
                name,
                wanted,
                found,
            });
        }
    }
    Ok(())
}
