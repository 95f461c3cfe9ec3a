//! `green-inbox check-config`: validates the configuration and prints it.

use std::process::ExitCode;

use super::{ConfigArgs, USAGE, fail};
use crate::alert::Destination;
use crate::outbound::Client;

pub(super) fn run(args: &ConfigArgs) -> ExitCode {
    let config = match args.load_checked() {
        Ok(config) => config,
        Err(error) => return fail(USAGE, &error),
    };
    // Destinations are prepared as at the start; nothing is sent.
    let client = match Client::new() {
        Ok(client) => client,
        Err(error) => return fail(1, &error),
    };
    if let Err(error) = Destination::all(&config.alerts, &client) {
        return fail(USAGE, &error);
    }
    match toml::to_string(&config) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => fail(1, &error),
    }
}
