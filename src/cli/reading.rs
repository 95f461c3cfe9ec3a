//! What the commands that read from the private listener have in common: how they begin and end.

use std::io;
use std::process::ExitCode;

use tokio::runtime::Runtime;

use super::private_api::{PrivateApi, ReadError, SourceArgs};
use super::{USAGE, fail};

/// Why a command that reads came to no good end.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadingError {
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What was read is no event.
    #[error("an event cannot be read: {0}")]
    Event(#[from] serde_json::Error),
    /// Some of what was read is not whole.
    #[error(
        "{0} events are damaged on the disk and were written without what cannot be read: seq {1}\n  \
         help: put back a backup of the database; everything else was exported"
    )]
    Damaged(i64, String),
    /// It could not be written.
    #[error("standard output cannot be written: {0}")]
    Write(#[from] io::Error),
}

impl From<csv::Error> for ReadingError {
    fn from(error: csv::Error) -> Self {
        Self::Write(error.into())
    }
}

/// Finds the private listener, lets `command` read from it, and says how it ended.
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
        // A reader that has seen enough (`| head`) is no failure.
        Ok(Err(ReadingError::Write(error))) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => fail(1, &error),
        Err(error) => fail(1, &error),
    }
}
