//! `green-inbox default-config`.

use std::process::ExitCode;

use crate::config::DEFAULT_FILE;

pub(super) fn run() -> ExitCode {
    print!("{DEFAULT_FILE}");
    ExitCode::SUCCESS
}
