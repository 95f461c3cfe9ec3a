//! The epoch of the database while it is open: it is renewed when its events were parsed again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use data_encoding::HEXLOWER;
use rusqlite::{Connection, Result};

/// Moves the positions of readers into the new epoch. A copy may lack the events that a reader has seen last.
const CARRY_OVER: &str = "
    UPDATE reader_offset
    SET epoch = ?1, seq = min(seq, (SELECT coalesce(max(seq), 0) FROM event))
    WHERE epoch = ?2";

/// The epoch of the open database. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::store) struct Epoch(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: RwLock<Arc<str>>,
    renewals: AtomicU64,
}

impl Epoch {
    pub(in crate::store) fn new(name: &str) -> Self {
        Self(Arc::new(Inner {
            name: RwLock::new(name.into()),
            renewals: AtomicU64::new(0),
        }))
    }

    /// Its name.
    pub(in crate::store) fn name(&self) -> Arc<str> {
        let name = self.0.name.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&name)
    }

    /// How many times it was renewed since the database was opened.
    pub(in crate::store) fn renewals(&self) -> u64 {
        self.0.renewals.load(Ordering::SeqCst)
    }

    /// Announces the epoch that was stored in the database.
    pub(in crate::store) fn renew(&self, name: &str) {
        let mut current = self.0.name.write().unwrap_or_else(PoisonError::into_inner);
        *current = name.into();
        self.0.renewals.fetch_add(1, Ordering::SeqCst);
    }
}

/// A name for a new epoch.
///
/// # Errors
///
/// The operating system returned no random bytes.
pub(in crate::store) fn random() -> std::result::Result<String, getrandom::Error> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)?;
    Ok(HEXLOWER.encode(&random))
}

/// Moves the positions of readers from one epoch into the next. The events up to the newest one are still the same, so
/// readers inside the program go on.
pub(in crate::store) fn carry_over(connection: &Connection, from: &str, to: &str) -> Result<()> {
    connection.execute(CARRY_OVER, (to, from)).map(drop)
}
