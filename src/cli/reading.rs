//! Shared start and exit of the commands that read from the private listener.

use std::io;
use std::process::ExitCode;

use tokio::runtime::Runtime;

use super::private_api::{PrivateApi, ReadError, SourceArgs};
use super::{USAGE, fail};

/// Why a reading command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadingError {
    /// The server could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An event of the response cannot be parsed.
    #[error("an event in the response cannot be parsed: {0}")]
    Event(#[from] serde_json::Error),
    /// Some events are damaged.
    #[error(
        "{0} events are damaged on disk and were exported without their unreadable parts: seq {1}\n  \
         help: restore a backup of the database; all other events were exported"
    )]
    Damaged(i64, String),
    /// Standard output could not be written.
    #[error("standard output cannot be written: {0}")]
    Write(#[from] io::Error),
}

impl From<csv::Error> for ReadingError {
    fn from(error: csv::Error) -> Self {
        Self::Write(error.into())
    }
}

/// Runs `command` with a client of the private listener, and returns the exit code.
pub(super) fn run(
    source: &SourceArgs,
    command: impl AsyncFnOnce(PrivateApi) -> Result<(), ReadingError>,
) -> ExitCode {
    let api = match PrivateApi::find(source) {
        Ok(api) => api,
        Err(error) => return fail(USAGE, &error),
    };
    match Runtime::new().map(|runtime| runtime.block_on(command(api))) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        // A closed pipe (`| head`) is not a failure.
        Ok(Err(ReadingError::Write(error))) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => fail(1, &error),
        Err(error) => fail(1, &error),
    }
}
