//! Replaces stored bodies by the same bodies as zstd frames, a step at a time.

use rusqlite::{Connection, Result};

use super::replace::{StoredBody, in_transaction, replace, transaction};

const PROGRESS: &str = "
    INSERT INTO compressing (one, seq) VALUES (1, ?1)
    ON CONFLICT (one) DO UPDATE SET seq = max(seq, excluded.seq)";

/// What one step changes.
#[derive(Debug)]
pub(in crate::store) struct CompressStep {
    /// The frames.
    pub(in crate::store) frames: Vec<StoredBody>,
    /// Every event up to this seq was looked at.
    pub(in crate::store) through: i64,
}

/// The result of one step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compressed {
    /// Events whose bodies were compressed.
    pub events: u64,
    /// Bytes of these bodies before.
    pub before: u64,
    /// Bytes of these bodies now.
    pub after: u64,
    /// Every event up to this seq was looked at.
    pub through: i64,
}

/// Replaces the bodies of a step. When this returns `Ok`, they are replaced on disk.
pub(super) fn step(connection: &Connection, step: &CompressStep) -> Result<Compressed> {
    let mut compressed = Compressed {
        through: step.through,
        ..Compressed::default()
    };
    if step.frames.is_empty() {
        in_transaction(connection, |transaction| {
            transaction
                .prepare_cached(PROGRESS)?
                .execute([step.through])
        })?;
        return Ok(compressed);
    }
    transaction(connection, |transaction| {
        let replaced = replace(transaction, &step.frames)?;
        for frame in &step.frames {
            if replaced.binary_search(&frame.seq).is_ok() {
                compressed.events += 1;
                compressed.before += frame.size.unwrap_or(0).unsigned_abs();
                compressed.after += frame.body.len() as u64;
            }
        }
        transaction
            .prepare_cached(PROGRESS)?
            .execute([step.through])
    })?;
    Ok(compressed)
}
