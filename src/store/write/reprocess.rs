//! The progress of parsing all events again while the server runs. It is stored with each step, so that a restart goes
//! on where the last one ended.

use std::collections::BTreeMap;

use rusqlite::{Connection, Result, Transaction, TransactionBehavior, params};

use super::reparse::Reparsed;
use crate::store::epoch::carry_over;

/// A pass that is not done goes on as it is.
const BEGIN: &str = "
    INSERT INTO reprocess (one, seq, last, events, damaged, changed, is_done)
    SELECT 1, 0, coalesce(max(seq), 0), 0, 0, '[]', 0 FROM event WHERE true
    ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, last = excluded.last, events = excluded.events,
        damaged = excluded.damaged, changed = excluded.changed, is_done = excluded.is_done
    WHERE reprocess.is_done";

const CHANGED: &str = "SELECT changed FROM reprocess";

const STEP: &str = "
    UPDATE reprocess SET seq = ?1, events = events + ?2, damaged = damaged + ?3, changed = ?4";

const FINISH: &str = "UPDATE reprocess SET is_done = 1";

const EPOCH: &str = "SELECT epoch FROM identity";

const RENEW: &str = "UPDATE identity SET epoch = ?1";

/// The number of events for each outcome before and after.
pub(in crate::store) type Counts = Vec<(String, String, u64)>;

/// A change of the pass.
#[derive(Debug)]
pub(in crate::store) enum ReprocessChange {
    /// A pass was asked for.
    Begin,
    /// The next events were parsed again.
    Step(ReprocessStep),
    /// All were. The epoch gets this name if some of them changed.
    Finish(String),
}

/// Events that were parsed again.
#[derive(Debug)]
pub(in crate::store) struct ReprocessStep {
    /// The last of them.
    pub(in crate::store) through: i64,
    /// How many were read.
    pub(in crate::store) events: u64,
    /// How many of them are damaged, and left as they are.
    pub(in crate::store) damaged: u64,
    /// Those that are parsed differently.
    pub(in crate::store) changed: Vec<Reparsed>,
}

impl ReprocessChange {
    /// Saves the change. Returns the new epoch if there is one.
    pub(super) fn save(&self, connection: &Connection) -> Result<Option<&str>> {
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        let epoch = match self {
            Self::Begin => {
                transaction.execute(BEGIN, [])?;
                None
            }
            Self::Step(step) => {
                step.save(&transaction)?;
                None
            }
            Self::Finish(epoch) => finish(&transaction, epoch)?.then_some(epoch.as_str()),
        };
        transaction.commit()?;
        Ok(epoch)
    }
}

impl ReprocessStep {
    fn save(&self, transaction: &Transaction<'_>) -> Result<()> {
        let mut counts = BTreeMap::new();
        for (before, after, count) in counts_of(transaction)? {
            counts.insert((before, after), count);
        }
        for event in &self.changed {
            if event.write(transaction)? {
                let (before, after) = event.change();
                let change = (before.to_owned(), after.to_owned());
                *counts.entry(change).or_insert(0) += 1;
            }
        }
        let counts: Counts = counts
            .into_iter()
            .map(|((before, after), count)| (before, after, count))
            .collect();
        // Serializing strings and numbers cannot fail.
        let counts = serde_json::to_string(&counts).unwrap_or_default();
        transaction.prepare_cached(STEP)?.execute(params![
            self.through,
            self.events.cast_signed(),
            self.damaged.cast_signed(),
            counts
        ])?;
        Ok(())
    }
}

/// Ends the pass. Returns whether the epoch was renewed, because events that readers have seen were changed.
fn finish(transaction: &Transaction<'_>, epoch: &str) -> Result<bool> {
    transaction.execute(FINISH, [])?;
    if counts_of(transaction)?.is_empty() {
        return Ok(false);
    }
    let before: String = transaction.query_row(EPOCH, [], |row| row.get(0))?;
    transaction.execute(RENEW, [epoch])?;
    carry_over(transaction, &before, epoch)?;
    Ok(true)
}

fn counts_of(connection: &Connection) -> Result<Counts> {
    let text: String = connection.query_row(CHANGED, [], |row| row.get(0))?;
    Ok(serde_json::from_str(&text).unwrap_or_default())
}
