//! The command line.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::request::Crowd;
use super::{bare, naive, rows};

/// Compares green-inbox with what it could be compared with.
#[derive(Debug, Parser)]
#[command(name = "throughput", args_conflicts_with_subcommands = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// What this executable is when the comparison starts it again.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    #[command(name = bare::ROLE, hide = true)]
    Bare { port: u16, database: PathBuf },
    #[command(name = naive::ROLE, hide = true)]
    Naive {
        port: u16,
        database: PathBuf,
        connections: u32,
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
    /// Rounds; everything is measured once in each, in an order of chance.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Seconds of each measurement.
    #[arg(long, default_value = "4", value_parser = seconds)]
    pub(crate) seconds: Duration,
    /// Seconds before each measurement that are not counted.
    #[arg(long, default_value = "0.5", value_parser = seconds)]
    pub(crate) warm_up: Duration,
    /// Seconds of rest before each measurement.
    #[arg(long, default_value = "2", value_parser = seconds)]
    pub(crate) pause: Duration,
    /// Connections at one time; each has one request in flight.
    #[arg(long, value_delimiter = ',', default_value = "1,8,64,256,1024",
          value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) connections: Vec<u32>,
    /// Compares with servers of others too, and installs them.
    #[arg(long)]
    pub(crate) peers: bool,
    /// Only these: bare, naive, green-inbox, baseline, rows, green-api-python, flask, express,
    /// webhook.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Another green-inbox to compare with.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) baseline: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) crowd: Crowd,
    /// Connections in naive's pool. SQLite has one writer at a time, so that more of them wait for
    /// each other.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) naive_pool: u32,
    /// Threads of the load generator, by default one for two processors.
    #[arg(long, default_value_t = half_of_the_processors())]
    pub(crate) senders: usize,
    /// Makes the order of the measurements, by default from the clock.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Writes the tables to this file too.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Draws requests a second to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Keeps what the servers say in files in this folder, not nowhere.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) logs: Option<PathBuf>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "not a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn half_of_the_processors() -> usize {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    (processors / 2).max(1)
}
