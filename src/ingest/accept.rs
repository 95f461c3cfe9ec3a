//! Accepts the body of a notification, however it came: parse, append, log, measure.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use super::{Ingest, Rejection, log, measure};
use crate::model::{Origin, OutcomeKind};
use crate::notification;
use crate::store::{Appended, NewEvent};

/// How long a notification waits for its commit. This is less than the 60 s that nginx waits for a response, and than
/// the 180 s that GREEN-API waits.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(30);

/// What became of a notification that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is on disk.
    Stored {
        /// Its `seq` and whether it was there already.
        stored: Appended,
        /// How it was parsed.
        outcome: OutcomeKind,
    },
    /// Its type is in `ingest.ignored_types`.
    Ignored,
}

impl Ingest {
    /// Stores a notification that did not come as a request. When this returns `Ok`, it is on disk.
    ///
    /// # Errors
    ///
    /// It is not stored; the caller should try again later.
    pub async fn accept(
        &self,
        body: Bytes,
        origin: Origin,
        id_instance: i64,
    ) -> Result<Accepted, Rejection> {
        let accepted = self.take(body, origin).await;
        if let Err(reason) = &accepted {
            self.outage
                .refused(&format_args!("instance {id_instance}"), reason);
        }
        accepted
    }

    /// Whether a notification has a type that is not stored.
    #[must_use]
    pub fn is_ignored(&self, body: &[u8]) -> bool {
        self.gates.current().ignores(&notification::parse(body))
    }

    pub(super) async fn take(&self, bytes: Bytes, origin: Origin) -> Result<Accepted, Rejection> {
        let received_at = self.clock.now();
        let parsed = notification::parse(&bytes);
        if self.gates.current().ignores(&parsed) {
            log::ignored(&parsed);
            measure::ignored(&self.metrics, &parsed, received_at);
            return Ok(Accepted::Ignored);
        }
        let event = NewEvent::new(received_at, &parsed, &bytes).with_origin(origin);
        let outcome = event.outcome();
        let committed = timeout(COMMIT_TIMEOUT, self.writer.append(event)).await;
        let stored = committed.map_err(|_| Rejection::CommitTimeout)??;
        log::stored(&parsed, stored);
        self.outage.stored(&parsed, stored, origin);
        self.drift_log.stored(&parsed, stored);
        measure::stored(&self.metrics, &parsed, (received_at, origin), stored);
        Ok(Accepted::Stored { stored, outcome })
    }
}
