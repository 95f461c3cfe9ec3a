//! `green-inbox reprocess` while the server runs: asks the server to do it, and shows how far it is.

use std::time::Duration;

use tokio::time::sleep;

use super::ConfigArgs;
use super::private_api::{PrivateApi, ReadError, ReprocessProgress, SourceArgs};
use crate::store::{Progress, Step};

/// Pause between two requests for the progress.
const PAUSE: Duration = Duration::from_millis(300);

/// Requests without an answer after which the command gives up. The server may be restarting.
const ATTEMPTS: u32 = 100;

/// The version of this command.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why the server did not do it, or the command does not know whether it did.
#[derive(Debug, thiserror::Error)]
pub(super) enum OnlineError {
    #[error(
        "a server uses the database, and cannot be asked to parse its events again: {0}\n  help: give the configuration \
         of this server with --config, or stop it and run the command again"
    )]
    Begin(ReadError),
    #[error(
        "the server that uses the database has version {0}, and this command {VERSION}\n  help: restart the server with \
         the new version first, because it is the server that parses the events"
    )]
    Version(String),
    #[error(
        "the server no longer answers: {0}\n  help: it goes on when it runs again; run the command again to see how \
         far it is"
    )]
    Lost(ReadError),
}

/// Has the server parse all events again, and returns when it has.
pub(super) async fn reprocess(
    config: &ConfigArgs,
    show: Progress<'_>,
) -> Result<ReprocessProgress, OnlineError> {
    let api = PrivateApi::find(&SourceArgs::configured(config.clone()));
    let api = api.map_err(OnlineError::Begin)?;
    let version = api.reprocess_progress().await.map_err(OnlineError::Begin)?;
    if version.version != VERSION {
        return Err(OnlineError::Version(version.version));
    }
    let mut progress = api.begin_reprocess().await.map_err(OnlineError::Begin)?;
    eprintln!("the server parses its events again; it goes on if this command is stopped");
    while progress.is_running || progress.is_deriving {
        report(show, &progress);
        sleep(PAUSE).await;
        progress = ask(&api).await?;
    }
    Ok(progress)
}

/// Asks for the progress, again and again while there is no answer.
async fn ask(api: &PrivateApi) -> Result<ReprocessProgress, OnlineError> {
    let mut left = ATTEMPTS;
    loop {
        match api.reprocess_progress().await {
            Ok(progress) => return Ok(progress),
            Err(error) if error.is_transient() && left > 0 => left -= 1,
            Err(error) => return Err(OnlineError::Lost(error)),
        }
        sleep(PAUSE).await;
    }
}

/// Passes the progress on.
fn report(show: Progress<'_>, progress: &ReprocessProgress) {
    let (step, seq) = if progress.is_running {
        (Step::Parse, progress.seq)
    } else {
        (Step::Derive, progress.derived_seq)
    };
    show(step, seq, progress.last_seq);
}
