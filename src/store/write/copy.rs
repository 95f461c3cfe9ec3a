//! Writes what is copied from PostgreSQL, on the writer's thread.

use rusqlite::Result;

use super::copied::Copied;
use super::queue::Copy;
use super::transaction::Transaction;
use super::writer::{GroupCommit, MAX_CALM, Untrusted};

impl GroupCommit {
    pub(super) fn copy(&mut self, Copy { copied, answer }: Copy) -> Result<(), Untrusted> {
        let written = self.write_copied(&copied);
        if written.is_ok() {
            self.publish(copied.events.last().map(|(seq, _)| *seq));
            self.projection.committed();
        }
        self.answer_step(written, answer, "events of PostgreSQL were not copied")
    }

    fn write_copied(&mut self, copied: &Copied) -> Result<()> {
        let is_calm = copied.events.len() <= MAX_CALM && self.compression.is_on();
        let compressor = is_calm.then_some(&mut self.compressor);
        let mut transaction = Transaction::begin(&self.connection, &mut self.dedup, compressor)?;
        for (seq, event) in &copied.events {
            transaction.insert(event, Some(*seq))?;
        }
        copied.write_counts(&self.connection)?;
        transaction.commit()
    }
}
