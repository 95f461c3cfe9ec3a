//! `green-inbox reprocess`: parses stored bodies again and rebuilds the projection. If a server uses the database, the
//! server does it.

use std::fmt::Write;
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Runtime;

use super::private_api::ReprocessProgress;
use super::{ConfigArgs, USAGE, fail, reprocess_online};
use crate::store::{
    OpenError, Progress, Reprocessed, Step, copy_before_migration, reprocess, reprocess_dry,
};

#[derive(Debug, Args)]
pub(super) struct ReprocessArgs {
    /// Only report what would change; the server may keep running.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(args: &ReprocessArgs) -> ExitCode {
    let config = match args.config.load() {
        Ok(config) => config,
        Err(error) => return fail(USAGE, &error),
    };
    let path = config.storage.path;
    if !path.exists() {
        let missing = format!(
            "there is no database at `{}`\n  help: set storage.path, or give the configuration with --config",
            path.display()
        );
        return fail(USAGE, &missing);
    }
    if args.dry_run {
        return match with_progress(|progress| reprocess_dry(&path, progress)) {
            Ok(done) => print(&Summary::of(&done), true),
            Err(error) => fail(1, &with_help(&error)),
        };
    }
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &error),
    };
    let copied = if config.backup.before_migration {
        copy_before_migration(&path).map(drop)
    } else {
        Ok(())
    };
    let done = copied
        .and_then(|()| with_progress(|progress| runtime.block_on(reprocess(&path, progress))));
    match done {
        Ok(done) => print(&Summary::of(&done), false),
        Err(OpenError::InUse(_)) => {
            let online = reprocess_online::reprocess;
            match with_progress(|progress| runtime.block_on(online(&args.config, progress))) {
                Ok(done) => print(&Summary::of_server(&done), false),
                Err(error) => fail(1, &error),
            }
        }
        Err(error) => fail(1, &with_help(&error)),
    }
}

/// Shows the progress of `run`.
fn with_progress<T, E>(run: impl FnOnce(Progress<'_>) -> Result<T, E>) -> Result<T, E> {
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

/// What is printed at the end.
struct Summary<'d> {
    events: u64,
    damaged: u64,
    /// Outcome before and after, and the number of events.
    changed: Vec<(&'d str, &'d str, u64)>,
}

impl<'d> Summary<'d> {
    fn of(done: &Reprocessed) -> Self {
        Self {
            events: done.events,
            damaged: done.damaged,
            changed: done
                .changed
                .iter()
                .map(|(&(before, after), &count)| (before, after, count))
                .collect(),
        }
    }

    fn of_server(done: &'d ReprocessProgress) -> Self {
        Self {
            events: done.events,
            damaged: done.damaged,
            changed: done
                .changed
                .iter()
                .map(|change| (&*change.before, &*change.after, change.events))
                .collect(),
        }
    }
}

fn print(done: &Summary<'_>, dry_run: bool) -> ExitCode {
    let (read, change) = if dry_run {
        ("would be parsed again", "would become")
    } else {
        ("were parsed again", "became")
    };
    let mut summary = format!("{} events {read}\n", done.events);
    for (before, after, count) in &done.changed {
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
    print!("{summary}");
    ExitCode::SUCCESS
}

fn with_help(error: &OpenError) -> String {
    format!("{error}\n  help: {}", error.help())
}
