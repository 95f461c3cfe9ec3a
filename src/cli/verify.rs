//! `green-inbox verify`: checks a whole database for damage.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::terminal::plain;
use super::{ConfigArgs, USAGE, fail};
use crate::media::{CheckedFiles, check_files};
use crate::store::{Check, DerivedCheck, OpenError, Verified, verify};

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The database, or a backup of it [default: storage.path].
    file: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(args: &VerifyArgs) -> ExitCode {
    let path = match &args.file {
        Some(file) => file.clone(),
        None => match args.config.load() {
            Ok(config) => config.storage.path,
            Err(error) => return fail(USAGE, &error),
        },
    };
    if !path.exists() {
        let missing = format!(
            "there is no database at `{}`\n  help: name the file, set storage.path, or give the configuration \
             with --config",
            path.display()
        );
        return fail(USAGE, &missing);
    }
    match with_progress(&path) {
        Ok((verified, files)) => {
            print!("{}{}", summary(&verified, &path), summary_of_files(&files));
            let help = match (verified.is_good(), files.is_good()) {
                (true, true) => return ExitCode::SUCCESS,
                (true, false) => {
                    "the events are good: take the files from the folder beside a backup, or ask the senders for them"
                }
                (false, _) => help(&verified),
            };
            fail(
                1,
                &format!("`{}` is damaged\n  help: {help}", path.display()),
            )
        }
        Err(error @ (OpenError::Foreign(_) | OpenError::Newer { .. })) => {
            fail(USAGE, &format!("{error}\n  help: {}", error.help()))
        }
        Err(error) => fail(1, &format!("{error}\n  help: {}", error.help())),
    }
}

fn with_progress(path: &Path) -> Result<(Verified, CheckedFiles), OpenError> {
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{msg} {bar:32} {pos} of {len}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let verified = verify(path, &mut |check, done, of| {
        bar.set_message(match check {
            Check::Structure => "checking the structure of the file",
            Check::Bodies => "checking bodies, seq",
            Check::Derive => "deriving a fresh projection, seq",
            Check::Compare => "comparing the projections, table",
        });
        bar.set_length(of);
        bar.set_position(done);
        bar.tick();
    });
    let files = verified.and_then(|verified| {
        bar.set_message("checking kept files, part");
        let files = check_files(path, &mut |done, of| {
            bar.set_length(of);
            bar.set_position(done);
            bar.tick();
        });
        Ok((verified, files?))
    });
    bar.finish_and_clear();
    files
}

/// The findings about kept files. Says nothing if there are none.
fn summary_of_files(files: &CheckedFiles) -> String {
    let mut lines = String::new();
    // Writing to a string cannot fail.
    if files.files > 0 {
        let _ = writeln!(lines, "files: {} match their digests", files.files);
    }
    for (what, seqs) in [("missing", &files.missing), ("damaged", &files.damaged)] {
        if !seqs.is_empty() {
            let _ = writeln!(lines, "files: {} are {what}, of seq {seqs}", seqs.count());
        }
    }
    lines
}

/// The findings, one line each.
fn summary(verified: &Verified, path: &Path) -> String {
    let mut lines = String::new();
    for problem in &verified.problems {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "structure: {}", plain(problem).replace('\n', " "));
    }
    let (events, path) = (verified.events, path.display());
    let _ = if verified.damaged.is_empty() {
        writeln!(
            lines,
            "bodies: all {events} events of `{path}` match their digests"
        )
    } else {
        let (count, seqs) = (verified.damaged.count(), &verified.damaged);
        writeln!(lines, "bodies: {count} events are damaged: seq {seqs}")
    };
    if !verified.reparsed.is_empty() {
        let (count, seqs) = (verified.reparsed.count(), &verified.reparsed);
        let _ = writeln!(
            lines,
            "columns: {count} events would be parsed differently by this version (`reprocess` does it): seq {seqs}"
        );
    }
    let _ = match &verified.derived {
        DerivedCheck::Same(seq) => {
            writeln!(lines, "projection: equals a fresh one, up to seq {seq}")
        }
        DerivedCheck::Skipped(reason) => writeln!(lines, "projection: not checked: {reason}"),
        DerivedCheck::Differs { problem, seqs } if seqs.is_empty() => {
            writeln!(lines, "projection: {}", plain(problem).replace('\n', " "))
        }
        DerivedCheck::Differs { problem, seqs } => writeln!(
            lines,
            "projection: {}; seq {seqs}",
            plain(problem).replace('\n', " ")
        ),
    };
    lines
}

fn help(verified: &Verified) -> &'static str {
    if verified.problems.is_empty() && verified.damaged.is_empty() {
        "the events are good: delete the `.projection` file beside the database, and the server derives it again"
    } else {
        "restore a backup that `verify` finds good, or save the readable events with `green-inbox export`"
    }
}
