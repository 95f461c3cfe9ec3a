//! The command line.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::request::Crowd;
use super::{bare, files, log, naive, nodes, rows};

/// Compares green-inbox with other webhook receivers.
#[derive(Debug, Parser)]
#[command(name = "throughput", args_conflicts_with_subcommands = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// What this executable does when the comparison starts it as a child process.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    #[command(name = bare::ROLE, hide = true)]
    Bare { port: u16, database: PathBuf },
    #[command(name = files::ROLE, hide = true)]
    Files { port: u16 },
    #[command(name = log::ROLE, hide = true)]
    Log { port: u16, file: PathBuf },
    #[command(name = naive::ROLE, hide = true)]
    Naive {
        port: u16,
        database: PathBuf,
        connections: u32,
    },
    #[command(name = nodes::ROLE, hide = true)]
    Nodes {
        program: PathBuf,
        url: String,
        ports: Vec<u16>,
    },
    #[command(name = rows::ROLE, hide = true)]
    Rows {
        database: PathBuf,
        milliseconds: u64,
        #[command(flatten)]
        crowd: Crowd,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Rounds; each measures everything once, in random order.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Seconds of each measurement.
    #[arg(long, default_value = "4", value_parser = seconds)]
    pub(crate) seconds: Duration,
    /// Seconds of load before each measurement, not counted.
    #[arg(long, default_value = "0.5", value_parser = seconds)]
    pub(crate) warm_up: Duration,
    /// Seconds of pause before each measurement.
    #[arg(long, default_value = "2", value_parser = seconds)]
    pub(crate) pause: Duration,
    /// Concurrent connections; each has one request in flight.
    #[arg(long, value_delimiter = ',', default_value = "1,8,64,256,1024",
          value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) connections: Vec<u32>,
    /// Installs third-party servers and includes them in the comparison.
    #[arg(long)]
    pub(crate) peers: bool,
    /// Adds green-inbox with three forward destinations, up and down.
    #[arg(long)]
    pub(crate) forward: bool,
    /// Only these: bare, log, naive, green-inbox, streamed, baseline, forward-up, forward-down, files, node, two-nodes, rows,
    /// green-api-python, flask, express, webhook.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Another green-inbox binary to compare with.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) baseline: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) crowd: Crowd,
    /// Connections in naive's pool. SQLite allows one writer at a time, so more connections only
    /// wait for each other.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) naive_pool: u32,
    /// Threads of the load generator, by default one for every two CPUs.
    #[arg(long, default_value_t = half_of_the_cpus())]
    pub(crate) senders: usize,
    /// Seed of the order of measurements, by default from the clock.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Also writes the tables to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Writes a chart of requests a second to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Keeps the output of the servers in files in this folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) logs: Option<PathBuf>,
    /// Passed by cargo.
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "not a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn half_of_the_cpus() -> usize {
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    (cpus / 2).max(1)
}
