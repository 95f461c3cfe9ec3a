//! Measurements, and their median, minimum and maximum over the rounds.

use std::collections::BTreeMap;
use std::time::Duration;

/// One measurement of one server with a given number of connections.
#[derive(Debug, Clone)]
pub(crate) struct Measurement {
    /// Requests a second that got 200.
    pub(crate) rate: f64,
    /// In milliseconds.
    pub(crate) p50: f64,
    /// In milliseconds.
    pub(crate) p99: f64,
    pub(crate) errors: f64,
    /// Microseconds of the server's CPU time for each request.
    pub(crate) cpu: f64,
    /// Microseconds of the server's CPU time for each stored event, from the start until the
    /// projection has caught up. `None` if there is no projection or it did not catch up in time.
    pub(crate) projected: Option<f64>,
    /// Microseconds of the load generator's CPU time for each request.
    pub(crate) sender: f64,
    /// Peak memory in megabytes.
    pub(crate) memory: f64,
    /// What the server reports as not done right after the load, in events, by name.
    pub(crate) lags: BTreeMap<String, f64>,
}

/// The measurements of one server with a given number of connections, one for each round.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    pub(crate) rounds: Vec<Measurement>,
    /// The errors of failed rounds.
    pub(crate) failures: Vec<String>,
}

impl Cell {
    /// The spread over the rounds, or `None` if no round succeeded.
    pub(crate) fn spread(&self, of: impl Fn(&Measurement) -> f64) -> Option<Spread> {
        Spread::of(self.rounds.iter().map(of))
    }

    /// Errors of all rounds together.
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

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

pub(crate) fn millis(time: Option<Duration>) -> f64 {
    time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// Microseconds for each of `count` items.
pub(crate) fn micros_each(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e6 / float(count)
}
