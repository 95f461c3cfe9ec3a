//! The commands, one file each.

mod account;
mod alert_test;
mod backup;
mod check_config;
mod default_config;
mod demo;
mod explain;
mod export;
mod healthcheck;
mod http_client;
mod latencies;
mod migrate;
mod nginx_config;
mod plan;
mod private_api;
mod reading;
mod replay;
mod reprocess;
mod reprocess_online;
mod send;
mod sender;
mod serve;
mod tail;
mod terminal;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, Config, ConfigError};

/// A durable webhook receiver for GREEN-API: every notification answered 200 is on disk.
#[derive(Debug, Parser)]
#[command(name = "green-inbox", version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(serve::ServeArgs),
    /// Try it in a minute: start a temporary server, send it samples, and show how to read them.
    Demo(demo::DemoArgs),
    /// Simulate GREEN-API: send sample notifications, and retry each until it is answered 200.
    Send(send::SendArgs),
    /// Print the newest events; with --follow, also new events as they arrive.
    Tail(tail::TailArgs),
    /// Write every matching event to standard output.
    Export(export::ExportArgs),
    /// Send stored events to a forward destination again: those that match the filters, one, or its dead letters.
    Replay(replay::ReplayArgs),
    /// Copy the database into a file, while the server runs or not. If the file exists, only what is new is copied.
    Backup(backup::BackupArgs),
    /// Check a database for damage: its structure, every body, and the projection. The server may be running.
    Verify(verify::VerifyArgs),
    /// Copy the database into a PostgreSQL that several nodes can share, or PostgreSQL into a new database. Both keep the
    /// seqs, compare every event at the end, and can be stopped and continued.
    Migrate(migrate::MigrateArgs),
    /// Parse stored bodies again after an upgrade, so that unknown and malformed events become known, and
    /// rebuild messages, chats and calls. A running server does it itself, in small steps.
    Reprocess(reprocess::ReprocessArgs),
    /// Call GREEN-API's own methods for the configured accounts: status, connect, call, create, logout, reboot.
    Account(account::AccountArgs),
    /// Check the configuration, and print it with secrets redacted.
    CheckConfig(ConfigArgs),
    /// Send a test to each destination of alerts, and print how it answers.
    AlertTest(ConfigArgs),
    /// Print the default configuration file, with a comment for each key.
    DefaultConfig,
    /// Show which rule would accept or refuse a request, without sending it.
    Explain(explain::ExplainArgs),
    /// Print an nginx configuration with the values of the [ingest] section.
    NginxConfig(ConfigArgs),
    /// Exit 0 if the server reports that it is ready.
    Healthcheck(ConfigArgs),
}

/// The option that selects the configuration file.
#[derive(Debug, Clone, clap::Args)]
struct ConfigArgs {
    /// Configuration file [default: config/green-inbox.toml, if it exists].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    fn load(&self) -> Result<Config, ConfigError> {
        load(self.config.as_deref())
    }

    /// The configuration, if the server would start with it.
    fn load_checked(&self) -> Result<Config, ConfigError> {
        let config = self.load()?;
        config.check()?;
        Ok(config)
    }
}

fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    config::load(file, environment()?)
}

/// The environment variables that are valid Unicode.
///
/// # Errors
///
/// A variable of green-inbox is not valid Unicode.
fn environment() -> Result<Vec<(String, String)>, ConfigError> {
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        match value.into_string() {
            Ok(value) => Some(Ok((name, value))),
            Err(_) if name.starts_with(config::PREFIX) => Some(Err(ConfigError::Unreadable(
                format!("environment variable {name}: not valid Unicode\n  help: encode the value in UTF-8"),
            ))),
            Err(_) => None,
        }
    });
    variables.collect()
}

/// Exit code for wrong usage or an invalid configuration.
const USAGE: u8 = 2;

/// Runs the given command.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Send(args) => send::run(&args),
        Command::Tail(args) => tail::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Backup(args) => backup::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Migrate(args) => migrate::run(&args),
        Command::Reprocess(args) => reprocess::run(&args),
        Command::Account(args) => account::run(&args),
        Command::CheckConfig(args) => check_config::run(&args),
        Command::AlertTest(args) => alert_test::run(&args),
        Command::DefaultConfig => default_config::run(),
        Command::Explain(args) => explain::run(&args),
        Command::NginxConfig(args) => nginx_config::run(&args),
        Command::Healthcheck(args) => healthcheck::run(&args),
    }
}

/// Prints the error, which includes its fix, and returns the exit code.
fn fail(code: u8, error: &impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(code)
}
