//! The terms of some events, and their entries, which are written together.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{CachedStatement, Connection, OptionalExtension, Result, params};

use super::TermKind;
use super::term::epoch;

/// Terms that were asked for and entries that are to be written.
pub(super) struct Terms<'t> {
    projection: &'t Connection,
    find: CachedStatement<'t>,
    /// By kind and value: the place among the noted.
    places: [HashMap<String, usize>; TermKind::COUNT],
    noted: Vec<Noted>,
    postings: Vec<Posting>,
    /// Postings of statuses, which are taken back when another status comes.
    statuses: BTreeSet<Posting>,
}

/// An entry of a term, in the order of the table.
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

struct Noted {
    id: i64,
    /// How many of its entries are new.
    entries: i64,
}

impl<'t> Terms<'t> {
    pub(super) fn new(projection: &'t Connection) -> Result<Self> {
        Ok(Self {
            projection,
            find: projection
                .prepare_cached("SELECT id FROM term WHERE kind = ?1 AND value = ?2")?,
            places: std::array::from_fn(|_| HashMap::new()),
            noted: Vec::new(),
            postings: Vec::new(),
            statuses: BTreeSet::new(),
        })
    }

    /// Notes an entry of a term.
    pub(super) fn post(&mut self, kind: TermKind, value: &str, seq: i64) -> Result<()> {
        let term = self.count_entries(kind, value, 1)?;
        self.postings.push(Posting::new(term, seq));
        Ok(())
    }

    /// Counts entries of a term, and gives its identifier.
    fn count_entries(&mut self, kind: TermKind, value: &str, n: i64) -> Result<i64> {
        let term = self.noted(kind, value)?;
        // A chat is the rarest of all terms, and there are many: its entries are not counted.
        if kind != TermKind::Chat {
            term.entries += n;
        }
        Ok(term.id)
    }

    /// The identifier of a term.
    pub(super) fn id(&mut self, kind: TermKind, value: &str) -> Result<i64> {
        self.noted(kind, value).map(|term| term.id)
    }

    fn noted(&mut self, kind: TermKind, value: &str) -> Result<&mut Noted> {
        let place = if let Some(place) = self.places[kind.place()].get(value) {
            *place
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
            self.places[kind.place()].insert(value.to_owned(), self.noted.len());
            self.noted.push(Noted { id, entries: 0 });
            self.noted.len() - 1
        };
        Ok(&mut self.noted[place])
    }

    /// Posts the status of a message, which is taken back when another one comes.
    pub(super) fn post_status(&mut self, status: &str, seq: i64) -> Result<()> {
        let term = self.count_entries(TermKind::Status, status, 1)?;
        self.statuses.insert(Posting::new(term, seq));
        Ok(())
    }

    /// Takes the status of a message back.
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

    /// Writes the entries that were gathered.
    pub(super) fn write_postings(&mut self) -> Result<()> {
        self.postings.extend(std::mem::take(&mut self.statuses));
        // In the order of the table each page is found once.
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

    /// Writes everything.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.write_postings()?;
        for Noted { id, entries } in self.noted.iter().filter(|term| term.entries != 0) {
            self.projection
                .prepare_cached("UPDATE term SET entries = entries + ?2 WHERE id = ?1")?
                .execute([id, entries])?;
        }
        Ok(())
    }
}
