//! `green-inbox backup`: copies the database into a file, incrementally if the file exists.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{ConfigArgs, USAGE, fail};
use crate::media::{CopiedFiles, copy_files};
use crate::store::{BackedUp, backup};

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The backup. If it exists, only what is new is copied into it. It is a database itself: to restore it, start
    /// the server on it.
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(args: &BackupArgs) -> ExitCode {
    let database = match args.config.load() {
        Ok(config) => config.storage.path,
        Err(error) => return fail(USAGE, &error),
    };
    if !database.exists() {
        let missing = format!(
            "there is no database at `{}`\n  help: set storage.path, or give the configuration with --config",
            database.display()
        );
        return fail(USAGE, &missing);
    }
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("copying {bar:32} seq {pos} of {len}, {per_sec}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let done = backup(&database, &args.file, &mut |seq, end| {
        bar.set_length(end.unsigned_abs());
        bar.set_position(seq.unsigned_abs());
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    let done = match done {
        Ok(done) => done,
        Err(error) => {
            let code = if error.is_usage() { USAGE } else { 1 };
            return fail(code, &format!("{error}\n  help: {}", error.help()));
        }
    };
    print!("{}", summary(&done, &args.file));
    let files = match copy_files(&database, &args.file, &mut || ControlFlow::Continue(())) {
        Ok(files) => files,
        Err(error) => return fail(1, &error),
    };
    print!("{}", summary_of_files(&files));
    if done.damaged.is_empty() && files.damaged.is_empty() {
        return ExitCode::SUCCESS;
    }
    fail(1, &damage(&done, &files))
}

fn damage(done: &BackedUp, files: &CopiedFiles) -> String {
    let mut problems = Vec::new();
    for (what, damaged) in [
        ("events are damaged in the database", &done.damaged),
        (
            "kept files are missing or damaged, of the events",
            &files.damaged,
        ),
    ] {
        if !damaged.is_empty() {
            problems.push(format!("{} {what}: seq {damaged}", damaged.count()));
        }
    }
    format!(
        "{}\n  help: everything else is in the backup; run `green-inbox verify`, and look for these in an older backup",
        problems.join("; ")
    )
}

/// Says nothing if no account keeps files.
fn summary_of_files(files: &CopiedFiles) -> String {
    let mut summary = String::new();
    // Writing to a string cannot fail.
    if files.files > 0 {
        let _ = writeln!(
            summary,
            "{} kept files were copied, {} bytes",
            files.files, files.bytes
        );
    }
    if files.removed > 0 {
        let _ = writeln!(
            summary,
            "{} kept files were deleted, as beside the database",
            files.removed
        );
    }
    summary
}

fn summary(done: &BackedUp, file: &Path) -> String {
    let mut summary = format!(
        "{} events were copied; `{}` is complete up to seq {}\n",
        done.events,
        file.display(),
        done.newest
    );
    // Writing to a string cannot fail.
    if done.deleted > 0 {
        let _ = writeln!(
            summary,
            "{} events were deleted, as in the database",
            done.deleted
        );
    }
    if done.updated > 0 {
        let _ = writeln!(
            summary,
            "{} counts of duplicates were updated",
            done.updated
        );
    }
    if done.is_replaced {
        summary.push_str(
            "the file was replaced by a new copy: the database was reprocessed, migrated or restored since\n",
        );
    }
    summary
}
