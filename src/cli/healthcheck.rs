//! `green-inbox healthcheck`: asks the private listener whether it is ready.

use std::process::ExitCode;
use std::time::Duration;

use hyper::StatusCode;
use tokio::runtime;
use tokio::time::timeout;

use super::http_client::{Answer, HttpClient, HttpError, http_uri, reachable};
use super::{ConfigArgs, USAGE, fail};

/// Less than the time that the container gives it.
const PATIENCE: Duration = Duration::from_secs(4);

pub(super) fn run(args: &ConfigArgs) -> ExitCode {
    let listen = match args.load() {
        Ok(config) => config.private.listen,
        Err(error) => return fail(USAGE, &error),
    };
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &error),
    };
    let address = format!("http://{}/readyz", reachable(listen));
    match runtime.block_on(async { timeout(PATIENCE, ready(&address)).await }) {
        Ok(Ok(None)) => ExitCode::SUCCESS,
        Ok(Ok(Some(reason))) => fail(1, &format!("not ready: {reason}")),
        Ok(Err(error)) => fail(1, &error),
        Err(_) => fail(1, &format!("no answer from {address} within {PATIENCE:?}")),
    }
}

/// Asks; says why where it is not ready.
async fn ready(address: &str) -> Result<Option<String>, HttpError> {
    let answer = HttpClient::new().get(&http_uri(address)?, None).await?;
    if answer.status() == StatusCode::OK {
        return Ok(None);
    }
    Ok(Some(Answer::of(answer).await.reason()))
}
