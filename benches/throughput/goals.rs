//! The goals of green-inbox, checked against the medians of one run.

use super::comparison::Results;
use super::contestant::GREEN_INBOX;
use super::measurement::{Cell, Measurement, Spread, micros_each};
use super::{bare, files, forward, log, naive, nodes, peers};

/// A measured value with its floor, which must be reached, and its goal.
#[derive(Debug)]
pub(crate) struct Standard {
    pub(crate) what: &'static str,
    /// `None` if a measurement that it needs is missing.
    pub(crate) value: Option<f64>,
    pub(crate) floor: f64,
    pub(crate) goal: f64,
    pub(crate) unit: &'static str,
    /// Whether a lower value is better.
    less: bool,
}

impl Standard {
    /// A ratio of which more is better.
    pub(crate) fn ratio(what: &'static str, value: Option<f64>, floor: f64, goal: f64) -> Self {
        Self {
            what,
            value,
            floor,
            goal,
            unit: "×",
            less: false,
        }
    }

    /// The verdict in words.
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

/// Every goal with its value in `results`.
pub(crate) fn goals(results: &Results) -> Vec<Standard> {
    let median = |name: &'static str, connections: u32, of: fn(&Measurement) -> f64| {
        let cell = results.cells.get(&(name, connections))?;
        Some(cell.spread(of)?.median)
    };
    let rate = |name, connections| median(name, connections, |measured| measured.rate);
    let times =
        |other, connections| Some(rate(GREEN_INBOX, connections)? / rate(other, connections)?);
    let cpu = |name| median(name, 64, |measured| measured.cpu);
    let least = || Some(cpu(bare::NAME)? + row(results)?.median);
    let until_projected = || {
        let cell = results.cells.get(&(GREEN_INBOX, 64))?;
        projected(cell).map(|projected| projected.median)
    };
    let memory = |connections| median(GREEN_INBOX, connections, |measured| measured.memory);
    let more = Standard::ratio;
    let less = |what, value, floor, goal, unit| Standard {
        what,
        value,
        floor,
        goal,
        unit,
        less: true,
    };
    let mut goals = vec![
        more(
            "requests/s relative to bare, 64 connections",
            times(bare::NAME, 64),
            0.15,
            0.30,
        ),
        more(
            "requests/s relative to bare, 256 connections",
            times(bare::NAME, 256),
            0.18,
            0.33,
        ),
        more(
            "requests/s relative to naive, 64 connections",
            times(naive::NAME, 64),
            8.0,
            14.0,
        ),
        more(
            "requests/s relative to green-api-python, 64 connections",
            times(peers::GREEN_API, 64),
            5.0,
            8.0,
        ),
        more(
            "requests/s relative to naive, 1 connection",
            times(naive::NAME, 1),
            0.9,
            1.3,
        ),
        less(
            "CPU relative to bare plus one row of a batch, 64 connections",
            cpu(GREEN_INBOX)
                .zip(least())
                .map(|(one, least)| one / least),
            2.0,
            1.3,
            "×",
        ),
        less(
            "the same, until the projection has caught up",
            until_projected()
                .zip(least())
                .map(|(one, least)| one / least),
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
    ];
    goals.extend(log::goals(&rate));
    goals.extend(forward::goals(&rate));
    goals.extend(files::goals(&rate));
    goals.extend(nodes::goals(&rate));
    goals
}

/// Microseconds of CPU for each event until the projection has caught up.
pub(crate) fn projected(cell: &Cell) -> Option<Spread> {
    Spread::of(cell.rounds.iter().filter_map(|round| round.projected))
}

/// Microseconds of CPU for one row of a batch.
pub(crate) fn row(results: &Results) -> Option<Spread> {
    let each = results.rows.iter();
    Spread::of(each.map(|inserted| micros_each(inserted.cpu, inserted.rows)))
}
