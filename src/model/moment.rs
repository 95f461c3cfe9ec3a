//! When an event happened, for deciding which of two events is newer.

use crate::notification::{Parsed, parse};

/// The notification's `timestamp`, or the second of arrival if it has none. Of two events in the same
/// second, the one committed later is newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Unix seconds.
    pub timestamp: i64,
    /// Sequence number of the event.
    pub seq: i64,
}

impl Moment {
    /// The moment of the event `seq`, which arrived at `received_at` (Unix milliseconds).
    #[must_use]
    pub fn new(timestamp: Option<i64>, received_at: i64, seq: i64) -> Self {
        Self {
            timestamp: timestamp.unwrap_or(received_at.div_euclid(1000)),
            seq,
        }
    }
}

/// Parses events (seq, arrival in milliseconds, body) and sorts them by the time they happened.
pub(super) fn in_time_order<'e>(
    events: impl IntoIterator<Item = (i64, i64, &'e [u8])>,
) -> Vec<(Moment, Parsed<'e>)> {
    let mut events: Vec<_> = events
        .into_iter()
        .map(|(seq, received_at, body)| {
            let parsed = parse(body);
            let at = Moment::new(parsed.columns.timestamp, received_at, seq);
            (at, parsed)
        })
        .collect();
    events.sort_by_key(|(at, _)| *at);
    events
}
