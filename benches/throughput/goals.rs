//! The goals that green-inbox is held against, from the medians of one run.

use super::comparison::Results;
use super::contestant::GREEN_INBOX;
use super::measurement::{Cell, Measurement, Spread, micros_each};
use super::{bare, naive, peers};

/// A number with what it has to be at least (or at most) and what it should be.
#[derive(Debug)]
pub(crate) struct Standard {
    pub(crate) what: &'static str,
    /// Nothing where what it is made of was not measured.
    pub(crate) value: Option<f64>,
    pub(crate) floor: f64,
    pub(crate) goal: f64,
    pub(crate) unit: &'static str,
    /// Whether less is better.
    less: bool,
}

impl Standard {
    /// In words.
    pub(crate) fn verdict(&self) -> &'static str {
        let is_met = |bound: f64, value: f64| {
            if self.less {
                value <= bound
            } else {
                value >= bound
            }
        };
        match self.value {
            None => "not measured",
            Some(value) if is_met(self.goal, value) => "goal",
            Some(value) if is_met(self.floor, value) => "floor",
            Some(_) => "short of the floor",
        }
    }
}

/// All of them.
pub(crate) fn goals(results: &Results) -> Vec<Standard> {
    let median = |name: &'static str, connections: u32, of: fn(&Measurement) -> f64| {
        let cell = results.cells.get(&(name, connections))?;
        Some(cell.spread(of)?.median)
    };
    let rate = |name, connections| median(name, connections, |measured| measured.rate);
    let times =
        |other, connections| Some(rate(GREEN_INBOX, connections)? / rate(other, connections)?);
    let processor = |name| median(name, 64, |measured| measured.processor);
    let least = || Some(processor(bare::NAME)? + row(results)?.median);
    let until_derived = || {
        let cell = results.cells.get(&(GREEN_INBOX, 64))?;
        derived(cell).map(|derived| derived.median)
    };
    let memory = |connections| median(GREEN_INBOX, connections, |measured| measured.memory);
    let more = |what, value, floor, goal| Standard {
        what,
        value,
        floor,
        goal,
        unit: "×",
        less: false,
    };
    let less = |what, value, floor, goal, unit| Standard {
        what,
        value,
        floor,
        goal,
        unit,
        less: true,
    };
    vec![
        more("of bare, 64 connections", times(bare::NAME, 64), 0.15, 0.30),
        more(
            "of bare, 256 connections",
            times(bare::NAME, 256),
            0.18,
            0.33,
        ),
        more(
            "of naive, 64 connections",
            times(naive::NAME, 64),
            8.0,
            14.0,
        ),
        more(
            "of GREEN-API's Python receiver, 64 connections",
            times(peers::GREEN_API, 64),
            5.0,
            8.0,
        ),
        more("of naive, 1 connection", times(naive::NAME, 1), 0.9, 1.3),
        less(
            "processor time of bare and one row of a batch, 64 connections",
            processor(GREEN_INBOX)
                .zip(least())
                .map(|(one, least)| one / least),
            2.0,
            1.3,
            "×",
        ),
        less(
            "the same until all is derived",
            until_derived().zip(least()).map(|(one, least)| one / least),
            2.0,
            1.3,
            "×",
        ),
        less(
            "p99, 64 connections",
            median(GREEN_INBOX, 64, |measured| measured.p99),
            20.0,
            8.0,
            " ms",
        ),
        less("peak memory, 64 connections", memory(64), 40.0, 20.0, " MB"),
        less(
            "peak memory, 1024 connections",
            memory(1024),
            100.0,
            50.0,
            " MB",
        ),
    ]
}

/// Microseconds on a processor for each event until all is derived.
pub(crate) fn derived(cell: &Cell) -> Option<Spread> {
    Spread::of(cell.rounds.iter().filter_map(|round| round.derived))
}

/// Microseconds on a processor for one row of a batch.
pub(crate) fn row(results: &Results) -> Option<Spread> {
    let each = results.rows.iter();
    Spread::of(each.map(|inserted| micros_each(inserted.processor, inserted.rows)))
}
