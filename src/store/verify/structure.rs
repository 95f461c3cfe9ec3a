//! The structure of a file, as SQLite checks it.

use rusqlite::Connection;

/// Problems of the structure that are listed. SQLite stops looking after them.
const PROBLEMS: u32 = 100;

/// What SQLite finds wrong with the structure of the file.
pub(super) fn problems(connection: &Connection) -> Vec<String> {
    let found = || -> rusqlite::Result<Vec<String>> {
        connection
            .prepare(&format!("PRAGMA integrity_check({PROBLEMS})"))?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    match found() {
        Ok(found) => found.into_iter().filter(|line| line != "ok").collect(),
        Err(failure) => vec![failure.to_string()],
    }
}
