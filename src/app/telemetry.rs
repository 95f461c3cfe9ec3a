//! What the program says of its work: lines on standard error, as text or as JSON.

use std::io::{self, IsTerminal};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use super::log_lines::{Guard, LogLines};
use crate::config::{Format, Level, Log};

/// Writes the lines that wait when it is dropped.
#[derive(Debug)]
pub struct Telemetry {
    _guard: Guard,
}

/// Begins to write lines.
///
/// # Errors
///
/// It was begun before, or there is no thread for it.
pub fn init(settings: Log) -> io::Result<Telemetry> {
    let (writer, guard) = LogLines::start(io::stderr(), |dropped| {
        tracing::warn!(
            dropped,
            "{dropped} lines are missing here: they were not read as fast as they were said"
        );
    })?;
    let level = match settings.level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    // Other crates would say tokens and bodies at their lower levels.
    let filter = Targets::new()
        .with_target(env!("CARGO_CRATE_NAME"), level)
        .with_default(level.min(LevelFilter::WARN));
    let layer = match settings.format {
        Format::Text => fmt::layer()
            .with_ansi(io::stderr().is_terminal())
            .with_target(false)
            .with_writer(writer)
            .boxed(),
        // The fields stand in an object of their own: a notification has a `timestamp` too.
        Format::Json => fmt::layer()
            .json()
            .with_target(false)
            .with_writer(writer)
            .boxed(),
    };
    registry()
        .with(layer.with_filter(filter))
        .try_init()
        .map_err(io::Error::other)?;
    // The message of a panic may hold what was parsed; its place does not.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(
            place,
            "a panic, which is a defect of green-inbox, at {place}"
        );
    }));
    Ok(Telemetry { _guard: guard })
}
