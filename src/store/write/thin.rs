//! Replaces bodies by the same bodies without their thumbnails, a step at a time.

use rusqlite::{Connection, Result, Transaction, params};

use super::replace::{StoredBody, in_transaction, replace, transaction};
use crate::store::event::BodyDigest;

const INSERT_DIGEST: &str = "INSERT OR REPLACE INTO thinned (seq, digest) VALUES (?1, ?2)";

const PROGRESS: &str = "UPDATE thinning SET seq = max(seq, ?1)";

/// What one step changes.
#[derive(Debug)]
pub(in crate::store) struct ThinStep {
    /// The new bodies.
    pub(in crate::store) bodies: Vec<ThinBody>,
    /// Every event up to this seq was looked at.
    pub(in crate::store) through: i64,
}

/// A body without its thumbnails.
#[derive(Debug)]
pub(in crate::store) struct ThinBody {
    /// The body without its thumbnails.
    pub(in crate::store) body: StoredBody,
    /// SHA-256 of the body without its thumbnails.
    pub(in crate::store) digest: BodyDigest,
    /// Bytes that were removed.
    pub(in crate::store) removed: u64,
}

/// The result of one step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Thinned {
    /// Events whose thumbnails were removed.
    pub events: u64,
    /// Bytes of the thumbnails.
    pub bytes: u64,
    /// Every event up to this seq was looked at.
    pub through: i64,
}

/// Replaces the bodies of a step. When this returns `Ok`, they are replaced on disk.
pub(super) fn step(connection: &Connection, step: &ThinStep) -> Result<Thinned> {
    if step.bodies.is_empty() {
        return in_transaction(connection, |transaction| change(transaction, step));
    }
    transaction(connection, |transaction| change(transaction, step))
}

fn change(transaction: &Transaction<'_>, step: &ThinStep) -> Result<Thinned> {
    let mut thinned = Thinned {
        through: step.through,
        ..Thinned::default()
    };
    let replaced = replace(transaction, step.bodies.iter().map(|thin| &thin.body))?;
    for thin in &step.bodies {
        if replaced.binary_search(&thin.body.seq).is_ok() {
            transaction
                .prepare_cached(INSERT_DIGEST)?
                .execute(params![thin.body.seq, thin.digest])?;
            thinned.events += 1;
            thinned.bytes += thin.removed;
        }
    }
    transaction
        .prepare_cached(PROGRESS)?
        .execute([step.through])?;
    Ok(thinned)
}
