//! `green-inbox account …`: calls GREEN-API's own methods for the configured accounts.

mod call;
mod connect;
mod create;
mod reconcile;
mod restart;
mod status;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use tokio::runtime;

use super::{USAGE, fail, load};
use crate::account::{Configured, configured};
use crate::config::{Config, ConfigError};
use crate::green_api::Api;
use crate::outbound::Client;

#[derive(Debug, Args)]
pub(super) struct AccountArgs {
    #[command(subcommand)]
    command: Command,
    /// Only this account.
    #[arg(long, global = true, value_name = "ID")]
    instance: Option<i64>,
    /// Configuration file [default: config/green-inbox.toml, if it exists].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the state of each account, the length of GREEN-API's queue, and settings that differ.
    Status,
    /// Change an account's settings in GREEN-API so that its notifications arrive here. The instance restarts.
    Connect(connect::ConnectArgs),
    /// Call any method, and print its answer as JSON.
    Call(call::CallArgs),
    /// Create an instance whose notifications arrive here. Needs a partner's token.
    Create(create::CreateArgs),
    /// Find what GREEN-API's journals have and never arrived here, and store it. Needs the running server.
    Reconcile(reconcile::ReconcileArgs),
    /// Unlink the phone from an account.
    Logout,
    /// Restart an instance.
    Reboot,
}

/// What the commands need.
struct Context {
    config: Config,
    accounts: Vec<Configured>,
    api: Api,
}

/// Why a command failed: the exit code and the text.
struct Failed(u8, String);

impl From<ConfigError> for Failed {
    fn from(error: ConfigError) -> Self {
        Self(USAGE, error.to_string())
    }
}

impl From<crate::green_api::CallError> for Failed {
    fn from(error: crate::green_api::CallError) -> Self {
        Self(1, super::terminal::plain_lines(&error.to_string()))
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self(1, error.to_string())
    }
}

type Done = Result<ExitCode, Failed>;

pub(super) fn run(args: &AccountArgs) -> ExitCode {
    match begin(args) {
        Ok(code) => code,
        Err(Failed(code, text)) => fail(code, &text),
    }
}

fn begin(args: &AccountArgs) -> Done {
    let config = load(args.config.as_deref())?;
    config.check()?;
    let client = Client::new().map_err(|error| Failed(1, error.to_string()))?;
    let mut accounts = configured(&config)?;
    if let Some(id) = args.instance {
        accounts.retain(|one| one.account.id_instance() == id);
        if accounts.is_empty() {
            let text = format!(
                "instance {id} is not configured\n  help: add it as [[accounts]]; docs/accounts.md has examples"
            );
            return Err(Failed(USAGE, text));
        }
    }
    let context = Context {
        config,
        accounts,
        api: Api::new(client.clone()),
    };
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match &args.command {
            Command::Status => status::run(&context).await,
            Command::Connect(args) => connect::run(&context, args, &client).await,
            Command::Call(args) => call::run(&context, args).await,
            Command::Create(args) => create::run(&context, args).await,
            Command::Reconcile(args) => reconcile::run(&context, args).await,
            Command::Logout => restart::logout(&context).await,
            Command::Reboot => restart::reboot(&context).await,
        }
    })
}

impl Context {
    /// All selected accounts, at least one.
    fn all(&self) -> Result<&[Configured], Failed> {
        if self.accounts.is_empty() {
            let text = "no account is configured\n  help: add [[accounts]] to the configuration, or set \
                        GREEN_INBOX__ACCOUNTS=\"1101000001:token\"; docs/accounts.md has examples";
            return Err(Failed(USAGE, text.to_owned()));
        }
        Ok(&self.accounts)
    }

    /// The one selected account.
    fn one(&self) -> Result<&Configured, Failed> {
        match self.all()? {
            [one] => Ok(one),
            all => {
                let text = format!(
                    "{} accounts are configured\n  help: name one with --instance",
                    all.len()
                );
                Err(Failed(USAGE, text))
            }
        }
    }
}
