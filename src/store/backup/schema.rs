//! The tables of a database, and how each is copied.

use rusqlite::{Connection, Result};

/// A table, an index, a view or a trigger, with the SQL that creates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    kind: String,
    name: String,
    pub(super) sql: String,
}

/// The entries of a schema, tables first, and the version of the newest migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schema {
    pub(super) entries: Vec<Entry>,
    pub(super) version: i64,
}

/// The table of thinned events. A copy has the rows that belong to its own bodies, which may still be whole.
pub(super) const THINNED: &str = "thinned";

/// How a table is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// With the slices of events.
    Events,
    /// Row by row, by the column that names an event and is the key of the table. Rows may have changed.
    Rows { key: String },
    /// As a whole, because it is small.
    Whole,
}

impl Schema {
    /// Reads the schema of a database. SQLite's own tables are left out.
    pub(super) fn read(connection: &Connection) -> Result<Self> {
        let entries = connection
            .prepare(
                "SELECT type, name, sql FROM sqlite_schema
                 WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                 ORDER BY type <> 'table', type, name",
            )?
            .query_map([], |row| {
                Ok(Entry {
                    kind: row.get(0)?,
                    name: row.get(1)?,
                    sql: row.get(2)?,
                })
            })?
            .collect::<Result<_>>()?;
        let version = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success";
        let version = connection.query_row(version, [], |row| row.get(0))?;
        Ok(Self { entries, version })
    }

    /// Whether there is a table of this name.
    pub(super) fn has(&self, table: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.kind == "table" && entry.name == table)
    }

    /// The tables and how each is copied.
    pub(super) fn tables(&self, connection: &Connection) -> Result<Vec<(String, Way)>> {
        let tables = self.entries.iter().filter(|entry| entry.kind == "table");
        tables
            .map(|table| Ok((table.name.clone(), way(connection, &table.name)?)))
            .collect()
    }
}

fn way(connection: &Connection, table: &str) -> Result<Way> {
    // The keys of the dedup index are made from the events: the index itself lags behind them. How far compressing is
    // says nothing about the copy, which has the bodies as they were when it read them.
    let with_events = [
        "event",
        "drift",
        THINNED,
        "event_key",
        "event_key_progress",
        "compressing",
    ];
    if with_events.contains(&table) {
        return Ok(Way::Events);
    }
    // Many rows, which are deleted a moment after their events.
    if table == "media_file" {
        return Ok(Way::Rows {
            key: "seq".to_owned(),
        });
    }
    let key = "SELECT key.\"from\" FROM pragma_foreign_key_list(?1) AS key
               JOIN pragma_table_info(?1) AS info ON info.name = key.\"from\"
               WHERE key.\"table\" = 'event' AND info.pk = 1
                 AND (SELECT count(*) FROM pragma_table_info(?1) WHERE pk > 0) = 1";
    let mut statement = connection.prepare(key)?;
    let mut rows = statement.query([table])?;
    Ok(match rows.next()? {
        Some(row) => Way::Rows { key: row.get(0)? },
        None => Way::Whole,
    })
}

/// A name as SQL quotes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
