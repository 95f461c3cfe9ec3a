//! What was measured, and its median, minimum and maximum over the rounds.

use std::collections::BTreeMap;
use std::time::Duration;

/// One server with so many connections, once.
#[derive(Debug, Clone)]
pub(crate) struct Measurement {
    /// Requests that were answered 200, a second.
    pub(crate) rate: f64,
    /// In milliseconds.
    pub(crate) p50: f64,
    /// In milliseconds.
    pub(crate) p99: f64,
    pub(crate) errors: f64,
    /// Microseconds on a processor for each request.
    pub(crate) processor: f64,
    /// The same from the start until all is derived, of all requests that were stored; nothing
    /// where the server derives nothing, or did not come to an end with it.
    pub(crate) derived: Option<f64>,
    /// The same of the load generator.
    pub(crate) sender: f64,
    /// At most, in megabytes.
    pub(crate) memory: f64,
    /// What the server says of how far its derived tables are behind, by name.
    pub(crate) lags: BTreeMap<String, f64>,
}

/// The measurements of one server with so many connections, one a round.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    pub(crate) rounds: Vec<Measurement>,
    /// Why there is none of a round.
    pub(crate) failures: Vec<String>,
}

impl Cell {
    /// Over the rounds; nothing where none succeeded.
    pub(crate) fn spread(&self, of: impl Fn(&Measurement) -> f64) -> Option<Spread> {
        Spread::of(self.rounds.iter().map(of))
    }

    /// In all rounds together.
    pub(crate) fn errors(&self) -> f64 {
        self.rounds.iter().map(|round| round.errors).sum()
    }
}

/// Median, minimum and maximum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) minimum: f64,
    pub(crate) maximum: f64,
}

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (minimum, maximum) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        Some(Self {
            median,
            minimum,
            maximum,
        })
    }
}

/// A count as a number to reckon with.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

pub(crate) fn millis(time: Option<Duration>) -> f64 {
    time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// Microseconds for each of so many.
pub(crate) fn micros_each(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e6 / float(count)
}
