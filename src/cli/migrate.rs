//! `green-inbox migrate`: copies the database into PostgreSQL, or PostgreSQL into a new database.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Runtime;

use super::{ConfigArgs, USAGE, fail};
use crate::config::{ConfigError, DatabaseUrl, Storage};
use crate::store::{
    MigrateError, MigrateStage, Migrated, SharedAt, copy_before_migration, copy_from_postgres,
    copy_into_postgres,
};

#[derive(Debug, Args)]
pub(super) struct MigrateArgs {
    #[command(flatten)]
    way: Way,
    #[command(flatten)]
    config: ConfigArgs,
}

/// One of the two is given. Without a value, the URL of the configuration is used.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Way {
    /// Copy the database at storage.path into this PostgreSQL [default: that of the configuration]. Other users of this
    /// machine can read a command line, so a URL with a password belongs into a file.
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "")]
    to: Option<DatabaseUrl>,
    /// Copy this PostgreSQL into a new database at storage.path [default: that of the configuration].
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "")]
    from: Option<DatabaseUrl>,
}

pub(super) fn run(args: &MigrateArgs) -> ExitCode {
    let config = match args.config.load() {
        Ok(config) => config,
        Err(error) => return fail(USAGE, &error),
    };
    let (given, is_to) = match (&args.way.to, &args.way.from) {
        (Some(url), _) => (url, true),
        (None, Some(url)) => (url, false),
        (None, None) => return fail(USAGE, &"give --to or --from"),
    };
    let at = match postgres(config.storage.clone(), given) {
        Ok(at) => at,
        Err(error) => return fail(USAGE, &error),
    };
    let path = config.storage.path;
    if is_to && !path.exists() {
        let missing = format!(
            "there is no database at `{}`\n  help: set storage.path, or give the configuration with --config",
            path.display()
        );
        return fail(USAGE, &missing);
    }
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &error),
    };
    let done = with_progress(|observe| {
        if !is_to {
            return runtime.block_on(copy_from_postgres(&path, &at, observe));
        }
        if config.backup.before_migration {
            copy_before_migration(&path)?;
        }
        runtime.block_on(copy_into_postgres(&path, &at, observe))
    });
    match done {
        Ok(done) => {
            print!("{}", summary(&done, &path, is_to));
            ExitCode::SUCCESS
        }
        Err(error) => {
            let code = if error.is_usage() { USAGE } else { 1 };
            fail(code, &format!("{error}\n  help: {}", error.help()))
        }
    }
}

/// The PostgreSQL of the command line, or that of the configuration.
fn postgres(mut storage: Storage, given: &DatabaseUrl) -> Result<SharedAt, String> {
    if !given.is_empty() {
        (storage.url, storage.url_file) = (Some(given.clone()), None);
    }
    let shared = storage.shared().map_err(|error| error.to_string())?;
    let shared = shared.ok_or_else(|| {
        let missing = ConfigError::setting(
            "storage.url",
            "it is not set, and the command line has no URL",
            "set storage.url_file, or give the URL: postgres://user@host:5432/database",
        );
        missing.to_string()
    })?;
    if !given.is_empty() && shared.connection.get_password().is_some() {
        eprintln!(
            "note: other users of this machine can read the password in the command line; storage.url_file hides it"
        );
    }
    let at = SharedAt::new(
        &shared.connection,
        shared.authorities.as_deref(),
        shared.require_standby,
    );
    at.map_err(|error| format!("{error}\n  help: {}", error.help()))
}

/// Shows the progress of `run`.
fn with_progress(
    run: impl FnOnce(&mut dyn FnMut(MigrateStage, i64, i64)) -> Result<Migrated, MigrateError>,
) -> Result<Migrated, MigrateError> {
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{msg} {bar:32} seq {pos} of {len}, {per_sec}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let done = run(&mut |stage, seq, end| {
        bar.set_message(match stage {
            MigrateStage::Copy => "copying  ",
            MigrateStage::Compare => "comparing",
        });
        bar.set_length(end.unsigned_abs());
        bar.set_position(seq.unsigned_abs());
    });
    bar.finish_and_clear();
    done
}

fn summary(done: &Migrated, path: &Path, is_to: bool) -> String {
    let mut summary = String::new();
    let path = path.display();
    if done.was_done {
        return format!(
            "everything is in PostgreSQL already, up to seq {}; `{path}` is this node's copy\n",
            done.newest
        ) + NEXT;
    }
    // Writing to a string cannot fail.
    let _ = writeln!(
        summary,
        "{} events were copied; both sides have the same {} events up to seq {}, and the same {} counts of duplicates\n\
         sha256 of their digests: {}",
        done.copied, done.events, done.newest, done.counts, done.digest
    );
    if is_to {
        let _ = writeln!(summary, "`{path}` is this node's copy of PostgreSQL now");
        return summary + NEXT;
    }
    let _ = writeln!(
        summary,
        "`{path}` is complete and has a new epoch: readers that send the old one get 409 `feed-rewound`\n\
         next: remove storage.url and storage.url_file from the configuration, and start the server"
    );
    if done.missed > 0 {
        let _ = writeln!(
            summary,
            "PostgreSQL has {} newer events, which are not in the file: a node still runs. Stop the nodes, move the \
             file away, and run the command again",
            done.missed
        );
    }
    summary
}

/// What to do after a copy into PostgreSQL.
const NEXT: &str = "next: set storage.url_file (or storage.url) on this node, leave storage.path as it is, and start the \
                    server; further nodes get the same URL and a storage.path that does not exist yet\n";
