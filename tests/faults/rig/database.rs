//! What the file says, read by SQLite and not by the server.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::Bodies;
use super::load::Answered;

/// The name of the database in the folder of a test.
pub const NAME: &str = "inbox.db";

/// Opens the database in `folder` beside its server, to read.
pub fn beside(folder: &Path) -> Connection {
    Connection::open_with_flags(folder.join(NAME), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// Opens what a power cut left in `folder`, as the first after it.
pub fn after_cut(folder: &Path) -> Connection {
    Connection::open(folder.join(NAME)).unwrap()
}

/// What SQLite finds wrong in the file; `ok` if nothing.
pub fn integrity(database: &Connection) -> String {
    database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap_or_else(|failure| failure.to_string())
}

/// The seqs that were answered 200 and under which the body is not.
pub fn lost<'a>(
    database: &Connection,
    bodies: &Bodies,
    answered: impl IntoIterator<Item = &'a Answered>,
) -> Vec<i64> {
    // Where the power went before the first notification there is no table yet.
    let Ok(mut find) = database.prepare("SELECT body FROM event WHERE seq = ?1") else {
        return answered.into_iter().map(|answer| answer.seq).collect();
    };
    let mut is_kept = |answer: &Answered| {
        let body: Option<Vec<u8>> = find
            .query_row([answer.seq], |row| row.get(0))
            .optional()
            .unwrap();
        body.is_some_and(|body| body == bodies.body(answer.number))
    };
    answered
        .into_iter()
        .filter(|answer| !is_kept(answer))
        .map(|answer| answer.seq)
        .collect()
}

/// A number that a statement gives.
pub fn number(database: &Connection, sql: &str) -> i64 {
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Every seq that was answered belongs to one body, over all runs of a server.
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
