//! `green-inbox serve`: runs the server until SIGTERM or SIGINT.

use std::io;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use tokio::runtime::{Handle, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tracing::{error, info, warn};

use super::{ConfigArgs, USAGE, fail};
use crate::app::telemetry::{self, Telemetry};
use crate::app::{App, Listeners, RunError, StartError, supervisor};
use crate::clock::Clock;
use crate::config::Config;

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Do not copy the database beside itself before it is migrated.
    #[arg(long)]
    no_backup: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(args: &ServeArgs) -> ExitCode {
    let mut config = match args.config.load() {
        Ok(config) => config,
        Err(error) => return fail(USAGE, &error),
    };
    config.backup.before_migration &= !args.no_backup;
    let telemetry = match telemetry::init(config.log) {
        Ok(telemetry) => telemetry,
        Err(error) => return fail(1, &error),
    };
    let result = Runtime::new()
        .map_err(StartError::from)
        .and_then(|runtime| {
            let served = runtime.block_on(serve(config, &args.config, &telemetry));
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

async fn serve(
    config: Config,
    args: &ConfigArgs,
    telemetry: &Telemetry,
) -> Result<Result<(), RunError>, StartError> {
    config.check()?;
    // Installed before anything listens: by default an early signal would kill the program.
    let mut signals = Signals::install()?;
    let mut is_first = true;
    let mut listeners = Listeners::open(&config).await?;
    let may_rewind = config.storage.shared()?.is_some();
    loop {
        // Keeps the sockets open while the program is built again.
        let spare = may_rewind.then(|| listeners.try_clone()).transpose()?;
        let built = signals.build(config.clone(), listeners, is_first).await?;
        let Some(app) = built else {
            info!("stopped before it was ready; the next start resumes from here");
            return Ok(Ok(()));
        };
        let reload = app.reload();
        let reload = || {
            supervisor::reloading();
            if let Ok(config) = reload.apply(args.load()) {
                telemetry.set_level(config.log.level);
            }
            supervisor::ready();
        };
        let spare = Mutex::new(spare);
        let take_spare = || spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        let stopped = async {
            signals.stop(reload).await;
            // From now on connections are refused.
            drop(take_spare());
        };
        let ended = Box::pin(app.run(stopped)).await;
        match (ended, take_spare()) {
            (Err(RunError::Rewound), Some(spare)) => {
                listeners = spare;
                (signals, is_first) = (Signals::install()?, false);
            }
            (ended, _) => return Ok(ended),
        }
    }
}

/// Interval of the log line that the database is still being opened.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn install() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Opens the database, which may take long after an upgrade. Returns `None` if a signal arrives first. The
    /// process then exits in the middle of a transaction, which SQLite rolls back at the next start.
    async fn build(
        &mut self,
        config: Config,
        listeners: Listeners,
        is_first: bool,
    ) -> Result<Option<App>, StartError> {
        let start = Instant::now();
        // Runs on its own thread, because most of the work blocks.
        let runtime = Handle::current();
        let mut build = spawn_blocking(move || {
            runtime.block_on(async {
                if is_first {
                    App::build(config, listeners, Clock::system()).await
                } else {
                    App::build_again(config, listeners, Clock::system()).await
                }
            })
        });
        loop {
            tokio::select! {
                done = &mut build => return done.map_err(io::Error::other)?.map(Some),
                _ = self.terminate.recv() => return Ok(None),
                _ = self.interrupt.recv() => return Ok(None),
                () = sleep(PROGRESS_INTERVAL) => {
                    let seconds = start.elapsed().as_secs();
                    supervisor::opening();
                    info!(seconds, "still opening the database: {seconds} s so far");
                }
            }
        }
    }

    /// Waits for the first SIGTERM or SIGINT. Until then SIGHUP reloads the configuration. Afterwards a second
    /// SIGTERM or SIGINT ends the process at once.
    async fn stop(mut self, reload: impl Fn()) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
                _ = self.hangup.recv() => reload(),
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
