//! Compares green-inbox with a server that stores nothing, with a hand-written server, and with
//! third-party servers. benches/README.md explains how to run it and how to read its output.
//!
//! [`comparison`] runs the rounds: it starts each [`contestant`] as its own process ([`running`]),
//! sends it the same [`request`]s ([`load`]) and reads the CPU time and memory that they cost
//! ([`accounting`]). Each [`measurement`] is shown in [`tables`], [`goals`] and a [`picture`].

mod accounting;
mod answer;
mod bare;
mod chance;
mod comparison;
mod contestant;
mod disk;
mod files;
mod forward;
mod goals;
mod latencies;
mod load;
mod log;
mod measurement;
mod naive;
mod niced;
mod nodes;
mod options;
mod peers;
mod picture;
mod readers;
mod request;
mod rows;
mod running;
mod tables;
mod words;

use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime;

use options::{CommandLine, Options, Role};

/// Why something could not be measured. It is only printed.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let CommandLine { role, options } = CommandLine::parse();
    let done = match role {
        Some(role) => play(role),
        None => compare(&options),
    };
    if let Err(failure) = done {
        eprintln!("{failure}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn compare(options: &Options) -> Result<(), Failure> {
    allow_connections()?;
    let results = comparison::run(options)?;
    let tables = tables::markdown(&results, options);
    println!("{tables}");
    if let Some(file) = &options.markdown {
        fs::write(file, &tables)?;
    }
    if let Some(file) = &options.svg {
        fs::write(file, picture::svg(&results, &options.connections))?;
    }
    Ok(())
}

fn play(role: Role) -> Result<(), Failure> {
    match role {
        Role::Bare { port, .. } => runtime::Runtime::new()?.block_on(bare::serve(port)),
        Role::Files { port } => runtime::Runtime::new()?.block_on(files::serve(port)),
        Role::Log { port, file } => runtime::Runtime::new()?.block_on(log::serve(port, &file)),
        Role::Naive {
            port,
            database,
            connections,
        } => runtime::Runtime::new()?.block_on(naive::serve(port, &database, connections)),
        Role::Nodes {
            program,
            url,
            ports,
        } => nodes::serve(&program, &url, &ports),
        Role::Rows {
            database,
            milliseconds,
            crowd,
        } => {
            let measured = Duration::from_millis(milliseconds);
            let runtime = runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            println!(
                "{}",
                runtime.block_on(rows::insert(database, crowd, measured))?
            );
            Ok(())
        }
    }
}

/// Raises the open file limit to its maximum, for the generator and the servers it starts: the
/// default is often below the requested number of connections.
fn allow_connections() -> Result<(), Failure> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let current = maximum;
    Ok(setrlimit(Resource::Nofile, Rlimit { current, maximum })?)
}
