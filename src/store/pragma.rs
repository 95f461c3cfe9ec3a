//! The settings of the write connection. Each is set and then read back.

use rusqlite::Connection;

use super::OpenError;

/// A setting: its name, the value to set, and the value that SQLite must then report.
struct Pragma(&'static str, &'static str, &'static str);

/// The order matters: `auto_vacuum` must be set before the first table exists, and before WAL mode, which
/// writes page one.
const PRAGMAS: [Pragma; 9] = [
    Pragma("busy_timeout", "5000", "5000"),
    Pragma("auto_vacuum", "INCREMENTAL", "2"),
    Pragma("journal_mode", "WAL", "wal"),
    // The durability guarantee: the WAL is synced at every commit.
    Pragma("synchronous", "FULL", "2"),
    Pragma("foreign_keys", "ON", "1"),
    Pragma("trusted_schema", "OFF", "0"),
    Pragma("cell_size_check", "ON", "1"),
    // After a burst the WAL shrinks to this many bytes.
    Pragma("journal_size_limit", "67108864", "67108864"),
    // Off: the writer starts checkpoints itself, after it has answered the requests.
    Pragma("wal_autocheckpoint", "0", "0"),
];

pub(super) fn set(connection: &Connection) -> Result<(), OpenError> {
    for Pragma(name, value, wanted) in PRAGMAS {
        // Some settings return a row, some do not.
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
