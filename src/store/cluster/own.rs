//! The events that this node has appended itself, kept until it copies them: it has their bodies, and has parsed them.
//!
//! They belong to the identity that the appender and the copier confirm when they connect. If PostgreSQL gives the same
//! seqs to other events, its identity is another one, and the node is opened again with nothing kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::store::event::NewEvent;

/// Bytes of the kept bodies. Events beyond it are read from PostgreSQL.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Number of kept events. Events beyond it are read from PostgreSQL.
const MAX_EVENTS: usize = 16 * 1024;

/// Shared by the appender and the copier. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct OwnEvents(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// In the order of their seqs.
    events: VecDeque<(i64, NewEvent)>,
    bytes: usize,
}

impl OwnEvents {
    /// Keeps the events of a commit, which are newer than all before. Drops those that do not fit.
    pub(super) fn keep(&self, events: impl Iterator<Item = (i64, NewEvent)>) {
        let mut kept = self.lock();
        for (seq, event) in events {
            let bytes = kept.bytes + event.body.len();
            if kept.events.len() < MAX_EVENTS && bytes <= MAX_BYTES {
                kept.bytes = bytes;
                kept.events.push_back((seq, with_own_memory(event)));
            }
        }
    }

    /// Takes the kept events with the seqs above `after` and up to `through`. Those up to `after` are dropped.
    pub(super) fn take(&self, after: i64, through: i64) -> VecDeque<(i64, NewEvent)> {
        let mut kept = self.lock();
        let count = kept.events.partition_point(|(seq, _)| *seq <= through);
        let rest = kept.events.split_off(count);
        let mut taken = std::mem::replace(&mut kept.events, rest);
        let bytes: usize = taken.iter().map(|(_, event)| event.body.len()).sum();
        kept.bytes -= bytes;
        drop(kept);
        taken.drain(..taken.partition_point(|(seq, _)| *seq <= after));
        taken
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Both changes leave the events and their bytes consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same event with a copy of the body. The received one takes a share of the memory for bodies
/// (`ingest.body_memory_bytes`), which an answered client may count on.
fn with_own_memory(event: NewEvent) -> NewEvent {
    NewEvent {
        body: Bytes::copy_from_slice(&event.body),
        ..event
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{MAX_BYTES, MAX_EVENTS, OwnEvents};
    use crate::clock::UnixMillis;
    use crate::notification;
    use crate::store::event::NewEvent;

    fn event(seq: i64, size: usize) -> (i64, NewEvent) {
        let body = Bytes::from(vec![b'1'; size]);
        let event = NewEvent::new(UnixMillis(seq), &notification::parse(&body), &body);
        (seq, event)
    }

    fn seqs(own: &OwnEvents, after: i64, through: i64) -> Vec<i64> {
        let taken = own.take(after, through);
        taken.into_iter().map(|(seq, _)| seq).collect()
    }

    #[test]
    fn taken_events_are_those_of_the_range_and_earlier_ones_are_dropped() {
        let own = OwnEvents::default();
        own.keep([event(3, 1), event(4, 1), event(8, 1), event(9, 1)].into_iter());
        assert_eq!(seqs(&own, 3, 8), [4, 8]);
        assert_eq!(seqs(&own, 0, 8), [0; 0]);
        assert_eq!(seqs(&own, 8, 20), [9]);
    }

    #[test]
    fn events_beyond_the_limits_are_not_kept_until_some_are_taken() {
        let own = OwnEvents::default();
        own.keep([event(1, MAX_BYTES - 1), event(2, 2), event(3, 1)].into_iter());
        assert_eq!(seqs(&own, 0, 3), [1, 3]);
        let many = (1..).take(MAX_EVENTS + 1).map(|seq| event(seq, 1));
        own.keep(many);
        assert_eq!(seqs(&own, 0, i64::MAX).len(), MAX_EVENTS);
        own.keep([event(50_000, 1)].into_iter());
        assert_eq!(seqs(&own, 0, i64::MAX), [50_000]);
    }
}
