//! The `green-inbox` binary.

use std::process::ExitCode;

use clap::Parser;
use green_inbox::cli::{self, Cli};

fn main() -> ExitCode {
    cli::run(Cli::parse())
}
