//! Observes what keeps GREEN-API's notifications out: refused tokens, bodies that are too large, storage that
//! refuses, and a notification that comes again and again. GREEN-API gives up after 24 hours, so somebody should
//! know.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Mutex, PoisonError};

use super::body::BodyError;
use super::{Rejection, Unauthorized};
use crate::clock::{Clock, UnixMillis};
use crate::model::Origin;
use crate::notification::Parsed;
use crate::store::{Appended, Unavailable};
use crate::trouble::{Trouble, Troubles};

/// Milliseconds within which the deliveries of one notification are counted.
const WINDOW: i64 = 3_600_000;

/// Deliveries within the window from which on a notification counts as repeated. GREEN-API sends one or two
/// duplicates in normal operation.
const DELIVERIES: u32 = 5;

/// Notifications whose deliveries are counted. Beyond them no other is counted until one's window is over.
const MAX_COUNTED: usize = 1024;

/// Observes the outcomes of requests from allowed sources.
#[derive(Debug)]
pub(super) struct Outage {
    clock: Clock,
    troubles: Troubles,
    /// Start of the window and deliveries, by seq.
    repeated: Mutex<HashMap<i64, (i64, u32)>>,
}

impl Outage {
    pub(super) fn new(clock: Clock, troubles: Troubles) -> Self {
        Self {
            clock,
            troubles,
            repeated: Mutex::default(),
        }
    }

    /// A request from an allowed source was refused.
    pub(super) fn refused(&self, client: &dyn Display, reason: &Rejection) {
        let trouble = match reason {
            Rejection::Token(Unauthorized::Nothing | Unauthorized::Wrong) => Trouble::TokenRejected,
            Rejection::Body(BodyError::TooLarge(_)) => Trouble::BodyTooLarge,
            Rejection::Body(BodyError::NoMemory)
            | Rejection::Store(
                Unavailable::Full
                | Unavailable::Failed
                | Unavailable::Away
                | Unavailable::DiskLow
                | Unavailable::OverBudget,
            )
            | Rejection::CommitTimeout => Trouble::StorageRefuses,
            // A request that arrives while the server stops is no trouble, and neither is a client's own fault.
            Rejection::Store(Unavailable::Stopped) | Rejection::Source(_) | Rejection::Body(_) => {
                return;
            }
        };
        self.troubles.observe(trouble, self.clock.now(), || {
            format!("{reason}, from {client}")
        });
    }

    /// A notification was accepted that is not stored.
    pub(super) fn ignored(&self) {
        self.troubles
            .end_all(&[Trouble::TokenRejected, Trouble::BodyTooLarge]);
    }

    /// A notification is on disk.
    pub(super) fn stored(&self, parsed: &Parsed<'_>, stored: Appended, origin: Origin) {
        if origin != Origin::Webhook {
            // It says nothing about the webhook.
            self.troubles.end(Trouble::StorageRefuses);
            return;
        }
        self.troubles.end_all(&[
            Trouble::TokenRejected,
            Trouble::BodyTooLarge,
            Trouble::StorageRefuses,
        ]);
        if stored.repeated {
            self.repeated(parsed, stored.seq);
        }
    }

    fn repeated(&self, parsed: &Parsed<'_>, seq: i64) {
        let now = self.clock.now();
        if self.count(seq, now) < DELIVERIES {
            return;
        }
        self.troubles.observe(Trouble::DeliveryRepeated, now, || {
            let id = parsed.columns.id_instance;
            let of = id.map_or_else(String::new, |id| format!(" of instance {id}"));
            format!("event {seq}{of} came {DELIVERIES} times within an hour")
        });
    }

    /// Counts one more delivery and returns how many there were in the window.
    fn count(&self, seq: i64, UnixMillis(now): UnixMillis) -> u32 {
        let is_over = |start: i64| now.saturating_sub(start) >= WINDOW;
        let mut repeated = self.repeated.lock().unwrap_or_else(PoisonError::into_inner);
        if repeated.len() >= MAX_COUNTED && !repeated.contains_key(&seq) {
            repeated.retain(|_, (start, _)| !is_over(*start));
            if repeated.len() >= MAX_COUNTED {
                return 0;
            }
        }
        // The first delivery was not a repetition and is not counted here.
        let entry = repeated.entry(seq).or_insert((now, 1));
        if is_over(entry.0) {
            *entry = (now, 0);
        }
        entry.1 += 1;
        entry.1
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_COUNTED, Outage, WINDOW};
    use crate::clock::{Clock, UnixMillis};
    use crate::trouble::Troubles;

    #[test]
    fn deliveries_are_counted_within_an_hour_and_for_a_bounded_number_of_events() {
        let outage = Outage::new(Clock::new(|| UnixMillis(0)), Troubles::default());
        let count = |seq, at| outage.count(seq, UnixMillis(at));
        assert_eq!(
            count(1, 0),
            2,
            "the first repetition is the second delivery"
        );
        assert_eq!(count(1, WINDOW - 1), 3);
        assert_eq!(count(1, WINDOW), 1, "a new window");
        for seq in 2..=MAX_COUNTED {
            assert_eq!(count(i64::try_from(seq).unwrap(), WINDOW), 2);
        }
        assert_eq!(count(-1, WINDOW), 0, "there is no room");
        assert_eq!(count(-1, 2 * WINDOW), 2);
    }
}
