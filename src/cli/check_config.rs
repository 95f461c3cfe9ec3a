//! `green-inbox check-config`: validates the configuration and prints it.

use std::process::ExitCode;

use super::{ConfigArgs, USAGE, fail};

pub(super) fn run(args: &ConfigArgs) -> ExitCode {
    let config = match args
        .load()
        .and_then(|config| config.check().map(|()| config))
    {
        Ok(config) => config,
        Err(error) => return fail(USAGE, &error),
    };
    match toml::to_string(&config) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => fail(1, &error),
    }
}
