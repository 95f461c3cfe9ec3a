//! `green-inbox healthcheck`: requests `/readyz` from the private listener.

use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime;
use tokio::time::timeout;

use super::http_client::{Answer, HttpClient, HttpError, http_url, reachable};
use super::{ConfigArgs, USAGE, fail};
use crate::outbound::StatusCode;

/// Time to wait for the response. It is shorter than the container's own timeout, so that the error is
/// printed.
const TIMEOUT: Duration = Duration::from_secs(4);

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
    match runtime.block_on(async { timeout(TIMEOUT, ready(&address)).await }) {
        Ok(Ok(None)) => ExitCode::SUCCESS,
        Ok(Ok(Some(reason))) => fail(1, &format!("not ready: {reason}")),
        Ok(Err(error)) => fail(1, &error),
        Err(_) => fail(1, &format!("no response from {address} within {TIMEOUT:?}")),
    }
}

/// Requests `address`. Returns the reason if the server is not ready.
async fn ready(address: &str) -> Result<Option<String>, HttpError> {
    let answer = HttpClient::new()?.get(&http_url(address)?, None).await?;
    if answer.status == StatusCode::OK {
        return Ok(None);
    }
    Ok(Some(Answer::of(answer).await.reason()))
}
