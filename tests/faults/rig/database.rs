//! Checks of the database file, read with SQLite and not through the server.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::Bodies;
use super::load::Answered;
use crate::support::stored::received;

/// The database's file name in a test folder.
pub const NAME: &str = "inbox.db";

/// Opens the database in `folder` read-only, beside its running server.
pub fn beside(folder: &Path) -> Connection {
    Connection::open_with_flags(folder.join(NAME), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// Opens the database that a power cut left in `folder`. This first open recovers the WAL.
pub fn after_cut(folder: &Path) -> Connection {
    Connection::open(folder.join(NAME)).unwrap()
}

/// The verdict of `PRAGMA integrity_check`: `ok`, or the first problem.
pub fn integrity(database: &Connection) -> String {
    database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap_or_else(|failure| failure.to_string())
}

/// The acknowledged seqs whose body is not stored under them.
pub fn lost<'a>(
    database: &Connection,
    bodies: &Bodies,
    answered: impl IntoIterator<Item = &'a Answered>,
) -> Vec<i64> {
    // If the power was cut during the first start, the table is not complete yet.
    if database.prepare("SELECT size FROM event").is_err() {
        return answered.into_iter().map(|answer| answer.seq).collect();
    }
    let is_kept = |answer: &Answered| {
        let body = received(database, answer.seq).unwrap();
        body.is_some_and(|body| body == bodies.body(answer.number))
    };
    answered
        .into_iter()
        .filter(|answer| !is_kept(answer))
        .map(|answer| answer.seq)
        .collect()
}

/// The result of a query that returns one number.
pub fn number(database: &Connection, sql: &str) -> i64 {
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Asserts that every acknowledged seq belongs to one body, across all runs of a server.
#[derive(Default)]
pub struct Seqs(HashMap<i64, u64>);

impl Seqs {
    pub fn add(&mut self, answered: &[Answered]) {
        for Answered { seq, number, .. } in answered {
            let first = *self.0.entry(*seq).or_insert(*number);
            assert_eq!(first, *number, "seq {seq} was given to two bodies");
        }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}
