//! The terms and postings of one slice, which are written together.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{CachedStatement, Connection, OptionalExtension, Result, params};

use super::TermKind;
use super::term::epoch;

/// The terms used so far and the postings to be written.
pub(super) struct Terms<'t> {
    projection: &'t Connection,
    find: CachedStatement<'t>,
    /// Index in `known`, by kind and value.
    indexes: [HashMap<String, usize>; TermKind::COUNT],
    known: Vec<KnownTerm>,
    postings: Vec<Posting>,
    /// Postings of statuses. One is removed when another status replaces it.
    statuses: BTreeSet<Posting>,
}

/// One posting. Its fields are in the order of the primary key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Posting {
    epoch: i64,
    term: i64,
    seq: i64,
}

impl Posting {
    fn new(term: i64, seq: i64) -> Self {
        Self {
            epoch: epoch(seq),
            term,
            seq,
        }
    }

    fn columns(self) -> [i64; 3] {
        [self.epoch, self.term, self.seq]
    }
}

struct KnownTerm {
    id: i64,
    /// Change in the number of its postings.
    entries: i64,
}

impl<'t> Terms<'t> {
    pub(super) fn new(projection: &'t Connection) -> Result<Self> {
        Ok(Self {
            projection,
            find: projection
                .prepare_cached("SELECT id FROM term WHERE kind = ?1 AND value = ?2")?,
            indexes: std::array::from_fn(|_| HashMap::new()),
            known: Vec::new(),
            postings: Vec::new(),
            statuses: BTreeSet::new(),
        })
    }

    /// Adds a posting to a term.
    pub(super) fn post(&mut self, kind: TermKind, value: &str, seq: i64) -> Result<()> {
        let term = self.count_entries(kind, value, 1)?;
        self.postings.push(Posting::new(term, seq));
        Ok(())
    }

    /// Adds `n` to the number of postings of a term, and returns its identifier.
    fn count_entries(&mut self, kind: TermKind, value: &str, n: i64) -> Result<i64> {
        let term = self.term(kind, value)?;
        // Chats are the rarest terms and there are many of them, so their postings are not counted.
        if kind != TermKind::Chat {
            term.entries += n;
        }
        Ok(term.id)
    }

    /// The identifier of a term.
    pub(super) fn id(&mut self, kind: TermKind, value: &str) -> Result<i64> {
        self.term(kind, value).map(|term| term.id)
    }

    fn term(&mut self, kind: TermKind, value: &str) -> Result<&mut KnownTerm> {
        let index = if let Some(index) = self.indexes[kind.index()].get(value) {
            *index
        } else {
            let found = self
                .find
                .query_row(params![kind as i64, value], |row| row.get(0));
            let id = if let Some(id) = found.optional()? {
                id
            } else {
                self.projection
                    .prepare_cached("INSERT INTO term (kind, value, entries) VALUES (?1, ?2, 0)")?
                    .execute(params![kind as i64, value])?;
                self.projection.last_insert_rowid()
            };
            self.indexes[kind.index()].insert(value.to_owned(), self.known.len());
            self.known.push(KnownTerm { id, entries: 0 });
            self.known.len() - 1
        };
        Ok(&mut self.known[index])
    }

    /// Adds the posting of a message status. It is removed when another status replaces this one.
    pub(super) fn post_status(&mut self, status: &str, seq: i64) -> Result<()> {
        let term = self.count_entries(TermKind::Status, status, 1)?;
        self.statuses.insert(Posting::new(term, seq));
        Ok(())
    }

    /// Removes the posting of a message status.
    pub(super) fn unpost_status(&mut self, status: &str, seq: i64) -> Result<()> {
        let term = self.count_entries(TermKind::Status, status, -1)?;
        let posting = Posting::new(term, seq);
        let is_unwritten = self.statuses.remove(&posting);
        if is_unwritten {
            return Ok(());
        }
        self.projection
            .prepare_cached("DELETE FROM posting WHERE epoch = ?1 AND term = ?2 AND seq = ?3")?
            .execute(posting.columns())
            .map(drop)
    }

    /// Writes the accumulated postings.
    pub(super) fn write_postings(&mut self) -> Result<()> {
        self.postings.extend(std::mem::take(&mut self.statuses));
        // In primary key order each page is touched once.
        self.postings.sort_unstable();
        let mut begin = self
            .projection
            .prepare_cached("INSERT OR IGNORE INTO epoch VALUES (?1)")?;
        for epoch in self.postings.chunk_by(|one, next| one.epoch == next.epoch) {
            begin.execute([epoch[0].epoch])?;
        }
        let mut insert = self
            .projection
            .prepare_cached("INSERT OR IGNORE INTO posting VALUES (?1, ?2, ?3)")?;
        for posting in self.postings.drain(..) {
            insert.execute(posting.columns())?;
        }
        Ok(())
    }

    /// Writes the accumulated postings and the numbers of postings.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.write_postings()?;
        for KnownTerm { id, entries } in self.known.iter().filter(|term| term.entries != 0) {
            self.projection
                .prepare_cached("UPDATE term SET entries = entries + ?2 WHERE id = ?1")?
                .execute([id, entries])?;
        }
        Ok(())
    }
}
