//! `green-inbox healthcheck`.

use std::process::ExitCode;

use super::ConfigArgs;

pub(super) fn run(_args: &ConfigArgs) -> ExitCode {
    ExitCode::FAILURE
}
