//! `green-inbox reprocess`: parses stored bodies again and rebuilds the projection.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Runtime;

use super::{ConfigArgs, USAGE, fail};
use crate::store::{OpenError, Reprocessed, Step, reprocess, reprocess_dry};

#[derive(Debug, Args)]
pub(super) struct ReprocessArgs {
    /// Only report what would change; the server may keep running.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(args: &ReprocessArgs) -> ExitCode {
    let path = match args.config.load() {
        Ok(config) => config.storage.path,
        Err(error) => return fail(USAGE, &error),
    };
    if !path.exists() {
        let missing = format!(
            "there is no database at `{}`\n  help: set storage.path, or give the configuration with --config",
            path.display()
        );
        return fail(USAGE, &missing);
    }
    let done = if args.dry_run {
        with_progress(|progress| reprocess_dry(&path, progress))
    } else {
        let runtime = match Runtime::new() {
            Ok(runtime) => runtime,
            Err(error) => return fail(1, &error),
        };
        with_progress(|progress| runtime.block_on(reprocess(&path, progress)))
    };
    match done {
        Ok(done) => {
            print!("{}", summary(&done, args.dry_run));
            ExitCode::SUCCESS
        }
        Err(error) => fail(1, &with_help(&error, &path)),
    }
}

fn with_progress(
    run: impl FnOnce(&mut dyn FnMut(Step, u64, u64)) -> Result<Reprocessed, OpenError>,
) -> Result<Reprocessed, OpenError> {
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{msg} {bar:32} seq {pos} of {len}, {per_sec}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let done = run(&mut |step, seq, of| {
        bar.set_message(match step {
            Step::Parse => "parsing ",
            Step::Derive => "building",
        });
        bar.set_length(of);
        bar.set_position(seq);
    });
    bar.finish_and_clear();
    done
}

fn summary(done: &Reprocessed, dry_run: bool) -> String {
    let (read, change) = if dry_run {
        ("would be parsed again", "would become")
    } else {
        ("were parsed again", "became")
    };
    let mut summary = format!("{} events {read}\n", done.events);
    for ((before, after), count) in &done.changed {
        // Writing to a string cannot fail.
        let _ = if before == after {
            let other = if dry_run { "would have" } else { "have" };
            writeln!(summary, "{count} {before} events {other} other columns")
        } else {
            writeln!(summary, "{count} {before} events {change} {after}")
        };
    }
    if done.damaged > 0 {
        // Writing to a string cannot fail.
        let _ = writeln!(
            summary,
            "{} events are damaged on disk and were left unchanged",
            done.damaged
        );
    }
    if done.changed.is_empty() {
        summary.push_str("all events are up to date\n");
    }
    summary
}

fn with_help(error: &OpenError, path: &Path) -> String {
    match error {
        OpenError::InUse(_) => format!(
            "{error}\n  help: stop the server that uses `{}`, or only preview the changes with --dry-run",
            path.display()
        ),
        error => format!("{error}\n  help: {}", error.help()),
    }
}
