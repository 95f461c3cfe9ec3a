//! When something happened, to tell which of two is the newer.

use crate::notification::{Parsed, parse};

/// GREEN-API's `timestamp`, else the second of arrival; of two in one second the one that was
/// committed later is the newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Seconds since 1970.
    pub timestamp: i64,
    /// The event.
    pub seq: i64,
}

impl Moment {
    /// When the event `seq` happened, which came at `received_at` (milliseconds since 1970).
    #[must_use]
    pub fn new(timestamp: Option<i64>, received_at: i64, seq: i64) -> Self {
        Self {
            timestamp: timestamp.unwrap_or(received_at.div_euclid(1000)),
            seq,
        }
    }
}

/// Events (seq, arrival in milliseconds, body) parsed and in the order in which they happened.
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
