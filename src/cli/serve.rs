//! `green-inbox serve`: runs the server until SIGTERM or SIGINT.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tracing::{error, info, warn};

use super::{ConfigArgs, USAGE, fail};
use crate::app::{App, Listeners, RunError, StartError, Tokens, telemetry};
use crate::clock::Clock;
use crate::config::Config;

pub(super) fn run(args: &ConfigArgs) -> ExitCode {
    let config = match args.load() {
        Ok(config) => config,
        Err(error) => return fail(USAGE, &error),
    };
    let telemetry = match telemetry::init(config.log) {
        Ok(telemetry) => telemetry,
        Err(error) => return fail(1, &error),
    };
    let result = Runtime::new()
        .map_err(StartError::from)
        .and_then(|runtime| {
            let served = runtime.block_on(serve(config));
            // Does not wait for tasks that still run after the shutdown deadline.
            runtime.shutdown_background();
            served
        });
    match result {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            error!(%failure, "stopped: {failure}");
            drop(telemetry);
            ExitCode::FAILURE
        }
        Err(error) => {
            drop(telemetry);
            fail(if error.is_configuration() { USAGE } else { 1 }, &error)
        }
    }
}

async fn serve(config: Config) -> Result<Result<(), RunError>, StartError> {
    config.check()?;
    // Installed before anything listens: by default an early signal would kill the program.
    let signals = Signals {
        terminate: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
        hangup: signal(SignalKind::hangup())?,
    };
    let listeners = Listeners::bind(&config).await?;
    let mut signals = signals;
    let Some(app) = signals.build(config, listeners).await? else {
        info!("stopped before it was ready; the next start resumes from here");
        return Ok(Ok(()));
    };
    let tokens = app.tokens();
    Ok(app.run(signals.stop(tokens)).await)
}

/// Interval of the log line that the database is still being opened.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Opens the database, which may take long after an upgrade. Returns `None` if a signal arrives first. The
    /// process then exits in the middle of a transaction, which SQLite rolls back at the next start.
    async fn build(
        &mut self,
        config: Config,
        listeners: Listeners,
    ) -> Result<Option<App>, StartError> {
        let start = Instant::now();
        // Runs on its own thread, because most of the work blocks.
        let runtime = Handle::current();
        let mut build = spawn_blocking(move || {
            runtime.block_on(App::build(config, listeners, Clock::system()))
        });
        loop {
            tokio::select! {
                done = &mut build => return done.map_err(io::Error::other)?.map(Some),
                _ = self.terminate.recv() => return Ok(None),
                _ = self.interrupt.recv() => return Ok(None),
                () = sleep(PROGRESS_INTERVAL) => {
                    let seconds = start.elapsed().as_secs();
                    info!(seconds, "still opening the database: {seconds} s so far");
                }
            }
        }
    }

    /// Waits for the first SIGTERM or SIGINT. Until then SIGHUP reloads the token files. Afterwards a second
    /// SIGTERM or SIGINT ends the process at once.
    async fn stop(mut self, tokens: Tokens) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
                _ = self.hangup.recv() => tokens.reload(),
            }
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            warn!("second signal: exiting at once");
            std::process::exit(1);
        });
    }
}
