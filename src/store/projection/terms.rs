//! The terms of some events, and their entries, which are written together.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::TermKind;

/// Terms that were asked for and entries that are to be written.
pub(super) struct Terms<'t> {
    projection: &'t Connection,
    /// By kind and value: the identifier and how many entries are new.
    known: [HashMap<String, (i64, i64)>; TermKind::COUNT],
    postings: Vec<(i64, i64)>,
    /// Postings of statuses, which are taken back when another status comes.
    statuses: BTreeSet<(i64, i64)>,
}

impl<'t> Terms<'t> {
    pub(super) fn new(projection: &'t Connection) -> Self {
        Self {
            projection,
            known: std::array::from_fn(|_| HashMap::new()),
            postings: Vec::new(),
            statuses: BTreeSet::new(),
        }
    }

    /// Notes an entry of a term.
    pub(super) fn post(&mut self, kind: TermKind, value: &str, seq: i64) -> Result<()> {
        let term = self.id(kind, value)?;
        self.count_entries(kind, value, 1);
        self.postings.push((term, seq));
        Ok(())
    }

    /// A chat is the rarest of all terms, and there are many: its entries are not counted.
    fn count_entries(&mut self, kind: TermKind, value: &str, n: i64) {
        if kind != TermKind::Chat
            && let Some((_, entries)) = self.known[kind.place()].get_mut(value)
        {
            *entries += n;
        }
    }

    /// The identifier of a term.
    pub(super) fn id(&mut self, kind: TermKind, value: &str) -> Result<i64> {
        if let Some((id, _)) = self.known[kind.place()].get(value) {
            return Ok(*id);
        }
        let found = self
            .projection
            .prepare_cached("SELECT id FROM term WHERE kind = ?1 AND value = ?2")?
            .query_row(params![kind as i64, value], |row| row.get(0))
            .optional()?;
        let id = if let Some(id) = found {
            id
        } else {
            self.projection
                .prepare_cached("INSERT INTO term (kind, value, entries) VALUES (?1, ?2, 0)")?
                .execute(params![kind as i64, value])?;
            self.projection.last_insert_rowid()
        };
        self.known[kind.place()].insert(value.to_owned(), (id, 0));
        Ok(id)
    }

    /// Posts the status of a message, which is taken back when another one comes.
    pub(super) fn post_status(&mut self, status: &str, seq: i64) -> Result<()> {
        let term = self.id(TermKind::Status, status)?;
        self.count_entries(TermKind::Status, status, 1);
        self.statuses.insert((term, seq));
        Ok(())
    }

    /// Takes the status of a message back.
    pub(super) fn unpost_status(&mut self, status: &str, seq: i64) -> Result<()> {
        let term = self.id(TermKind::Status, status)?;
        self.count_entries(TermKind::Status, status, -1);
        let is_unwritten = self.statuses.remove(&(term, seq));
        if is_unwritten {
            return Ok(());
        }
        self.projection
            .prepare_cached("DELETE FROM posting WHERE term = ?1 AND seq = ?2")?
            .execute([term, seq])
            .map(drop)
    }

    /// Writes the entries that were gathered.
    pub(super) fn write_postings(&mut self) -> Result<()> {
        self.postings.extend(std::mem::take(&mut self.statuses));
        // In the order of the table each page is found once.
        self.postings.sort_unstable();
        let mut insert = self
            .projection
            .prepare_cached("INSERT OR IGNORE INTO posting VALUES (?1, ?2)")?;
        for (term, seq) in self.postings.drain(..) {
            insert.execute([term, seq])?;
        }
        Ok(())
    }

    /// Writes everything.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.write_postings()?;
        let counted = self.known.iter().flat_map(HashMap::values);
        for (id, entries) in counted.filter(|(_, entries)| *entries != 0) {
            self.projection
                .prepare_cached("UPDATE term SET entries = entries + ?2 WHERE id = ?1")?
                .execute([id, entries])?;
        }
        Ok(())
    }
}
