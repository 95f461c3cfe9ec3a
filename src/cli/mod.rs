//! The commands, one file each.

mod check_config;
mod default_config;
mod demo;
mod explain;
mod export;
mod healthcheck;
mod http_client;
mod latencies;
mod nginx_config;
mod plan;
mod private_api;
mod reading;
mod reprocess;
mod send;
mod sender;
mod serve;
mod tail;
mod terminal;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, Config, ConfigError};

/// Keeps every GREEN-API notification: what was answered 200 is on disk.
#[derive(Debug, Parser)]
#[command(name = "green-inbox", version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(ConfigArgs),
    /// Show it in a minute: a server of its own, a sample of everything, and how to read it.
    Demo(demo::DemoArgs),
    /// Play GREEN-API: send samples, and send again what is not answered 200.
    Send(send::SendArgs),
    /// Write the newest events, and with --follow those that come.
    Tail(tail::TailArgs),
    /// Write every event that fits to standard output.
    Export(export::ExportArgs),
    /// Parse stored bodies again, so that what was unknown or malformed becomes known after an
    /// upgrade, and derive messages, chats and calls anew. The server must not run.
    Reprocess(reprocess::ReprocessArgs),
    /// Say what is wrong with the configuration, or print it with secrets redacted.
    CheckConfig(ConfigArgs),
    /// Print the default configuration file, with a comment for each key.
    DefaultConfig,
    /// Say which rule would admit or refuse a request; nothing is sent.
    Explain(explain::ExplainArgs),
    /// Print the configuration for nginx, made from the allowed sources and their neighbours.
    NginxConfig(ConfigArgs),
    /// Exit 0 if the server answers that it is ready.
    Healthcheck(ConfigArgs),
}

/// Where the configuration comes from.
#[derive(Debug, clap::Args)]
struct ConfigArgs {
    /// The configuration file [default: config/green-inbox.toml where it exists].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    fn load(&self) -> Result<Config, ConfigError> {
        load(self.config.as_deref())
    }
}

fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    config::load(file, environment()?)
}

/// The variables of the environment that are Unicode; one of ours that is not is refused.
fn environment() -> Result<Vec<(String, String)>, ConfigError> {
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        match value.into_string() {
            Ok(value) => Some(Ok((name, value))),
            Err(_) if name.starts_with(config::PREFIX) => Some(Err(ConfigError::Unreadable(
                format!("environment variable {name}: not Unicode\n  help: write it in UTF-8"),
            ))),
            Err(_) => None,
        }
    });
    variables.collect()
}

/// The exit code for usage or configuration that cannot be used.
const USAGE: u8 = 2;

/// Runs the command that was given.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Send(args) => send::run(&args),
        Command::Tail(args) => tail::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Reprocess(args) => reprocess::run(&args),
        Command::CheckConfig(args) => check_config::run(&args),
        Command::DefaultConfig => default_config::run(),
        Command::Explain(args) => explain::run(&args),
        Command::NginxConfig(args) => nginx_config::run(&args),
        Command::Healthcheck(args) => healthcheck::run(&args),
    }
}

/// Says what is wrong and what to do.
fn fail(code: u8, error: &impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(code)
}
