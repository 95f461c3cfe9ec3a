//! `green-inbox alert-test`: sends a test to each destination of alerts.

use std::process::ExitCode;

use tokio::runtime;

use super::terminal::plain;
use super::{ConfigArgs, USAGE, fail};
use crate::alert::{Destination, send_test};
use crate::clock::Clock;
use crate::config::Config;
use crate::outbound::Client;

pub(super) fn run(args: &ConfigArgs) -> ExitCode {
    let config = match args.load_checked() {
        Ok(config) => config,
        Err(error) => return fail(USAGE, &error),
    };
    let client = match Client::new() {
        Ok(client) => client,
        Err(error) => return fail(1, &error),
    };
    let destinations = match Destination::all(&config.alerts, &client) {
        Ok(destinations) => destinations,
        Err(error) => return fail(USAGE, &error),
    };
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &error),
    };
    runtime.block_on(send_to_all(&config, &destinations))
}

async fn send_to_all(config: &Config, destinations: &[Destination]) -> ExitCode {
    if config.alerts.to.is_empty() {
        println!("no destination is configured: alerts go to the log alone");
        println!(
            "  help: add [[alerts.to]] to the configuration; docs/configuration.md has examples"
        );
        return ExitCode::SUCCESS;
    }
    let mut code = ExitCode::SUCCESS;
    let now = Clock::system().now();
    for destination in destinations.iter().filter(|one| !one.is_log()) {
        let label = destination.label();
        match send_test(destination, now).await {
            Ok(()) => println!("{label}: accepted"),
            Err(failure) => {
                code = ExitCode::FAILURE;
                println!("{label}: {failure}");
                if !failure.said.is_empty() {
                    println!("  {}", plain(&failure.said));
                }
            }
        }
    }
    code
}
