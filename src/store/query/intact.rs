//! Expands each body and checks it against its digest before anything is built from it, and reports damaged ones.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use tracing::{debug, error};

use crate::clock::Clock;
use crate::store::compressed::expand;
use crate::store::dictionary::Dictionaries;
use crate::store::event::BodyDigest;
use crate::trouble::{Trouble, Troubles};

/// Whether `digest` is the SHA-256 of `body`.
pub(super) fn is_digest_of(digest: &BodyDigest, body: &[u8]) -> bool {
    Sha256::digest(body)[..] == digest[..]
}

/// Expands and checks bodies, and reports damaged ones. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct DamageReports {
    dictionaries: Arc<Dictionaries>,
    observers: Option<(Troubles, Clock)>,
    is_logged: Arc<AtomicBool>,
}

impl DamageReports {
    pub(super) fn new(dictionaries: Dictionaries) -> Self {
        Self {
            dictionaries: Arc::new(dictionaries),
            observers: None,
            is_logged: Arc::default(),
        }
    }

    /// Reports to these troubles too.
    pub(super) fn observed_by(&mut self, troubles: &Troubles, clock: &Clock) {
        self.observers = Some((troubles.clone(), clock.clone()));
    }

    /// Reports that the stored bytes of the event `seq` differ from those that were received.
    pub(super) fn body(&self, seq: i64) {
        let problem = || format!("the stored bytes of event {seq} differ from the received ones");
        if let Some((troubles, clock)) = &self.observers {
            troubles.observe(Trouble::DamagedBody, clock.now(), problem);
        }
        if self.is_logged.swap(true, Ordering::Relaxed) {
            debug!(seq, "{}", problem());
        } else {
            error!(
                seq,
                "{}\n  help: it is returned as damaged, without its body; find all damaged events with \
                 `green-inbox verify`, and look for them in a backup",
                problem()
            );
        }
    }

    /// The received bytes of the body in the columns `body` and `size`, if they match the digest in the column
    /// `digest`. Otherwise reports the event whose seq is in the column `seq`, and sets `damaged`.
    pub(super) fn checked<'r>(
        &self,
        row: &'r SqliteRow,
        (seq, digest, body, size): (&str, &str, &str, &str),
        damaged: &mut bool,
    ) -> Result<Option<Cow<'r, [u8]>>, sqlx::Error> {
        if row.try_get::<Option<&[u8]>, _>(body)?.is_none() {
            return Ok(None);
        }
        let digest: Option<&[u8]> = row.try_get(digest)?;
        let digest: Option<BodyDigest> = digest.and_then(|digest| digest.try_into().ok());
        let intact = digest.zip(self.expanded(row, (body, size)));
        if let Some((digest, bytes)) = intact
            && is_digest_of(&digest, &bytes)
        {
            return Ok(Some(bytes));
        }
        *damaged = true;
        self.body(row.try_get(seq)?);
        Ok(None)
    }

    /// The bytes of a body as it was received, from the columns `body` and `size`. `None` if they cannot be read or
    /// expanded. The caller compares the digest.
    pub(super) fn expanded<'r>(
        &self,
        row: &'r SqliteRow,
        (body, size): (&str, &str),
    ) -> Option<Cow<'r, [u8]>> {
        let stored: &[u8] = row.try_get(body).ok()?;
        let size: Option<i64> = row.try_get(size).ok()?;
        // Only the writer of this process adds dictionaries, and it adds them before readers are opened.
        expand(stored, size, &self.dictionaries, |_| None)
    }
}
