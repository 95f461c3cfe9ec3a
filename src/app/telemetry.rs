//! Logging to standard error, as text or as JSON.

use std::io::{self, IsTerminal};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, registry, reload};

use super::log_lines::{Guard, LogLines};
use crate::config::{Format, Level, Log};

/// Changes the level while the program runs, and writes the buffered lines when it is dropped.
#[derive(Debug)]
pub struct Telemetry {
    filter: reload::Handle<Targets, Registry>,
    _guard: Guard,
}

impl Telemetry {
    /// Changes the least severe level that is written.
    pub fn set_level(&self, level: Level) {
        // The subscriber lives as long as the program.
        let _ = self.filter.reload(targets(level));
    }
}

/// Starts logging.
///
/// # Errors
///
/// Logging was started before, or the log thread cannot be started.
pub fn init(settings: Log) -> io::Result<Telemetry> {
    let (writer, guard) = LogLines::start(io::stderr(), |dropped| {
        tracing::warn!(
            dropped,
            "{dropped} lines dropped: standard error is not read as fast as lines are logged"
        );
    })?;
    let (filter, handle) = reload::Layer::new(targets(settings.level));
    let layer = match settings.format {
        Format::Text => fmt::layer()
            .with_ansi(io::stderr().is_terminal())
            .with_target(false)
            .with_writer(writer)
            .boxed(),
        // Fields are not flattened, because a notification's `timestamp` would collide with the line's own.
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
    // Only the location is logged, because a panic message may quote a notification.
    std::panic::set_hook(Box::new(|panic| {
        let location = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(
            location,
            "panic at {location}: this is a bug in green-inbox"
        );
    }));
    Ok(Telemetry {
        filter: handle,
        _guard: guard,
    })
}

fn targets(level: Level) -> Targets {
    let level = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    // Below WARN other crates would log tokens and bodies. The warnings of rmcp repeat what a client sent.
    Targets::new()
        .with_target("rmcp", level.min(LevelFilter::ERROR))
        .with_target(env!("CARGO_CRATE_NAME"), level)
        .with_default(level.min(LevelFilter::WARN))
}
