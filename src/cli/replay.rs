//! `green-inbox replay`: sends stored events to a forward destination again.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;

use super::private_api::{FilterArgs, PrivateApi, SourceArgs};
use super::reading::{self, ReadingError};

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Name of the destination, as in [[forward]].
    #[arg(long, value_name = "NAME")]
    to: String,
    /// Only this event.
    #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(i64).range(1..))]
    seq: Option<i64>,
    /// All dead letters of the destination.
    #[arg(long, conflicts_with = "seq")]
    dead: bool,
    #[command(flatten)]
    filters: FilterArgs,
    #[command(flatten)]
    source: SourceArgs,
}

pub(super) fn run(args: &ReplayArgs) -> ExitCode {
    reading::run(&args.source, async |api| replay(&api, args).await)
}

async fn replay(api: &PrivateApi, args: &ReplayArgs) -> Result<(), ReadingError> {
    let mut parameters = args.filters.parameters();
    parameters.extend(args.seq.map(|seq| ("seq", seq.to_string())));
    parameters.extend(args.dead.then(|| ("dead", "true".to_owned())));
    let queued = api.replay(&args.to, &parameters).await?;
    let mut output = std::io::stdout().lock();
    writeln!(output, "{queued} events are sent again to `{}`", args.to)?;
    Ok(())
}
