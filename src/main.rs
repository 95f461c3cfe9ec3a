//! The program `green-inbox`.

use std::process::ExitCode;

use clap::Parser;
use green_inbox::cli::{self, Cli};

fn main() -> ExitCode {
    cli::run(Cli::parse())
}
