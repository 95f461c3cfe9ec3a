//! Compares two projections table by table. Both sides are read in the order of a key and merged, so that memory
//! is bounded and each difference has its seq.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use rusqlite::{Connection, Result, Rows};

use crate::store::damaged::DamagedSeqs;
use crate::store::stored::{Stored, StoredRow, read};

/// One table: a statement, how many of its first columns are the key that it is ordered by, and the column that
/// has the seq of an event, if there is one. `?1` is the last forgotten event.
struct Table {
    name: &'static str,
    sql: &'static str,
    key: usize,
    seq: Option<usize>,
}

const POSTINGS: &str = "posting";

/// Gives access to the words of each message, in the order of the index.
const VOCABULARY: &str =
    "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab (main, word, instance)";

const TABLES: [Table; 15] = [
    Table {
        name: "entity",
        sql: "SELECT entity.seq, entity.key, entity.kind, id_instance, chat.value, id_message, direction,
                     type_message, status, content_seq, edit_seq, extra, status_seq, deletion_seq, digest
              FROM entity LEFT JOIN term AS chat ON chat.id = entity.chat ORDER BY entity.seq",
        key: 1,
        seq: Some(0),
    },
    Table {
        name: "mention",
        sql: "SELECT entity, seq, digest FROM mention ORDER BY entity, seq",
        key: 2,
        seq: Some(1),
    },
    Table {
        name: "duplicate",
        sql: "SELECT seq, of_seq FROM duplicate ORDER BY seq",
        key: 1,
        seq: Some(0),
    },
    Table {
        name: "chatless",
        sql: "SELECT key, seq, id_instance, id_message, digest FROM chatless ORDER BY key, seq",
        key: 2,
        seq: Some(1),
    },
    Table {
        name: "alias",
        sql: "SELECT DISTINCT id_instance, chat.value, other.value FROM alias
              JOIN term AS chat ON chat.id = alias.chat JOIN term AS other ON other.id = alias.other
              ORDER BY 1, 2, 3",
        key: 3,
        seq: None,
    },
    Table {
        name: "hint",
        sql: "SELECT DISTINCT key, id_instance, id_message, term.value FROM hint
              JOIN term ON term.id = hint.chat ORDER BY 1, 2, 3, 4",
        key: 4,
        seq: None,
    },
    Table {
        name: "chat",
        sql: "SELECT id_instance, term.value, newest FROM chat JOIN term ON term.id = chat.chat ORDER BY 1, 2",
        key: 2,
        seq: Some(2),
    },
    Table {
        name: "instance",
        sql: "SELECT id_instance, type_instance, newest, socket_seq, quota_seq FROM instance ORDER BY 1",
        key: 1,
        seq: Some(2),
    },
    Table {
        name: "state",
        sql: "SELECT id_instance, timestamp, seq, name FROM state ORDER BY 1, 2, 3",
        key: 3,
        seq: Some(2),
    },
    Table {
        name: "counter",
        sql: "SELECT measure, id_instance, value, n FROM counter ORDER BY 1, 2, 3",
        key: 3,
        seq: None,
    },
    Table {
        name: "hour",
        sql: "SELECT id_instance, hour, n FROM hour ORDER BY 1, 2",
        key: 2,
        seq: None,
    },
    Table {
        name: "block_range",
        // The block of the last forgotten event has the bounds of forgotten events, too.
        sql: "SELECT block, least, most FROM block_range WHERE ?1 = 0 OR block > ?1 / 1024 ORDER BY block",
        key: 1,
        seq: None,
    },
    Table {
        name: POSTINGS,
        sql: "SELECT posting.epoch, kind, value, seq FROM posting JOIN term ON term.id = posting.term
              ORDER BY 1, 2, 3, 4",
        key: 4,
        seq: Some(3),
    },
    Table {
        name: "word",
        sql: "SELECT term, doc FROM temp.vocabulary WHERE term NOT GLOB (char(0xE000) || 'c*')",
        key: 2,
        seq: Some(1),
    },
    // A word that stands for a chat contains the identifier of its term, which a fresh projection assigns anew.
    Table {
        name: "word of a chat",
        sql: "SELECT term.value, doc FROM temp.vocabulary
              JOIN main.term ON term.id = CAST(substr(vocabulary.term, 3) AS INTEGER)
              WHERE vocabulary.term >= char(0xE000) || 'c' AND vocabulary.term < char(0xE000) || 'd' ORDER BY 1, 2",
        key: 2,
        seq: Some(1),
    },
];

/// The differences of two projections.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// The tables that differ.
    pub(super) tables: BTreeSet<&'static str>,
    /// The events that differing rows refer to.
    pub(super) seqs: DamagedSeqs,
}

/// Compares the projection that was `found` with a `fresh` one of the same events. Both have forgotten the events up
/// to `forgotten`.
pub(super) fn compare(
    found: &Connection,
    fresh: &Connection,
    forgotten: i64,
    mut progress: impl FnMut(u64, u64),
) -> Result<Differences> {
    let mut differences = Differences::default();
    for connection in [found, fresh] {
        connection.execute_batch(VOCABULARY)?;
    }
    for (step, table) in (1..).zip(&TABLES) {
        differences.add(table, found, fresh, forgotten)?;
        progress(step, TABLES.len() as u64);
    }
    Ok(differences)
}

impl Differences {
    fn add(
        &mut self,
        table: &Table,
        found: &Connection,
        fresh: &Connection,
        forgotten: i64,
    ) -> Result<()> {
        let (mut found, mut fresh) = (found.prepare(table.sql)?, fresh.prepare(table.sql)?);
        // Most statements have no parameter.
        for statement in [&mut found, &mut fresh] {
            if statement.parameter_count() == 1 {
                statement.raw_bind_parameter(1, forgotten)?;
            }
        }
        let (mut found, mut fresh) = (found.raw_query(), fresh.raw_query());
        let (mut left, mut right) = (next(&mut found)?, next(&mut fresh)?);
        loop {
            let order = match (&left, &right) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(left), Some(right)) => {
                    // Keys have no floating-point numbers, so they can always be compared.
                    left[..table.key]
                        .partial_cmp(&right[..table.key])
                        .unwrap_or(Ordering::Equal)
                }
            };
            if order != Ordering::Equal || left != right {
                // Some postings of forgotten events remain until their whole epoch is forgotten. They only say
                // where to look, and there is nothing.
                let is_left_over = order.is_lt() && forgotten > 0 && table.name == POSTINGS;
                if !is_left_over {
                    self.tables.insert(table.name);
                    self.charge(table, left.as_ref().filter(|_| order.is_le()));
                    self.charge(table, right.as_ref().filter(|_| order.is_ge()));
                }
            }
            if order.is_le() {
                left = next(&mut found)?;
            }
            if order.is_ge() {
                right = next(&mut fresh)?;
            }
        }
    }

    fn charge(&mut self, table: &Table, row: Option<&StoredRow>) {
        if let Some((row, seq)) = row.zip(table.seq)
            && let Stored::Integer(seq) = &row[seq]
        {
            // The seq of a notice is negated.
            self.seqs.add(seq.saturating_abs());
        }
    }
}

fn next(rows: &mut Rows<'_>) -> Result<Option<StoredRow>> {
    rows.next()?.map(read).transpose()
}
