//! Observes whether the projection follows the events.

use super::MINUTE;
use crate::clock::UnixMillis;
use crate::store::Projected;
use crate::trouble::{Trouble, Troubles};

/// Milliseconds without progress, or of a rebuild, after which it is reported. Shorter ones are normal.
const PATIENCE: i64 = MINUTE / 2;

/// Watches the projection.
#[derive(Debug)]
pub(super) struct ProjectionWatch {
    seq: i64,
    /// When it last advanced or had nothing to do.
    moved_at: UnixMillis,
    /// When a rebuild was seen first.
    rebuilding_since: Option<UnixMillis>,
}

impl ProjectionWatch {
    pub(super) fn new(now: UnixMillis) -> Self {
        Self {
            seq: -1,
            moved_at: now,
            rebuilding_since: None,
        }
    }

    /// Begins or ends the trouble. `newest` is the newest event.
    pub(super) fn observe(
        &mut self,
        troubles: &Troubles,
        projected: &Projected,
        newest: i64,
        now: UnixMillis,
    ) {
        let seq = projected.seq();
        if seq != self.seq || seq >= newest {
            (self.seq, self.moved_at) = (seq, now);
        }
        self.rebuilding_since = projected
            .is_rebuilding()
            .then(|| self.rebuilding_since.unwrap_or(now));
        let lasts = |since: UnixMillis| now.0.saturating_sub(since.0) >= PATIENCE;
        let problem = if projected.is_stopped() {
            "its thread has ended"
        } else if self.rebuilding_since.is_some_and(lasts) {
            "it is being rebuilt"
        } else if lasts(self.moved_at) {
            "it does not advance"
        } else {
            troubles.end(Trouble::ProjectionBehind);
            return;
        };
        troubles.observe(Trouble::ProjectionBehind, now, || {
            format!("{problem}, at event {seq} of {newest}")
        });
    }
}
