//! Whether a call that failed is repeated, and when.

use std::time::Duration;

use tokio::time::sleep;
use tracing::debug;

use super::error::{CallError, Refusal};
use super::method::Method;
use crate::outbound::Backoff;

/// Delays between attempts of a method that may be repeated.
const DELAYS: &[Duration] = &[
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(9),
];

/// The attempts of one call.
pub(super) struct Retry {
    method: &'static Method,
    backoff: Backoff,
}

impl Retry {
    pub(super) fn new(method: &'static Method) -> Self {
        Self {
            method,
            backoff: Backoff::new(DELAYS),
        }
    }

    /// Waits before the next attempt. Returns the error if there is none.
    pub(super) async fn after(&mut self, error: CallError) -> Result<(), CallError> {
        let may_help = match &error {
            // GREEN-API refused the call before it did anything.
            CallError::Refused {
                refusal: Refusal::TooMany,
                ..
            } => true,
            CallError::Refused {
                refusal: Refusal::Server(_, text),
                ..
            } => self.method.is_idempotent() && !text.contains("findUnAckedMessage"),
            CallError::NoAnswer { .. } => self.method.is_idempotent(),
            _ => false,
        };
        if !may_help || self.backoff.failures() as usize >= DELAYS.len() {
            return Err(error);
        }
        debug!(method = self.method.name, "a call failed and is repeated");
        sleep(self.backoff.failed(None)).await;
        Ok(())
    }
}
