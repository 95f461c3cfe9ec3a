//! `green-inbox account reconcile`: compares GREEN-API's journals with the database, through the running server.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio::time::sleep;

use super::super::private_api::{PrivateApi, ReadError, Reconciled};
use super::super::terminal::{escaped, plain, plain_lines};
use super::{Context, Done, Failed};
use crate::account::Configured;

/// Pause between two looks at a comparison that runs.
const PAUSE: Duration = Duration::from_millis(300);

#[derive(Debug, Args)]
pub(super) struct ReconcileArgs {
    /// Compare messages and calls since this time (RFC 3339), at most 30 days ago [default: a day ago].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Store nothing; only count what is missing.
    #[arg(long)]
    dry_run: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table.
    Text,
    /// A JSON array with an object per account.
    Json,
}

impl From<ReadError> for Failed {
    fn from(error: ReadError) -> Self {
        let text = plain_lines(&error.to_string());
        let is_unreachable = matches!(error, ReadError::Http(_));
        let help = "\n  help: start the server with `green-inbox serve`; it compares, because only it may store";
        Self(1, if is_unreachable { text + help } else { text })
    }
}

pub(super) async fn run(context: &Context, args: &ReconcileArgs) -> Done {
    let accounts = context.all()?;
    let api = PrivateApi::configured(&context.config.private, None)?;
    let mut reports = Vec::with_capacity(accounts.len());
    for configured in accounts {
        let id = configured.account.id_instance();
        reports.push((id, reconcile(&api, configured, args).await?));
    }
    match args.format {
        Format::Text => print_table(&reports)?,
        Format::Json => {
            let reports = reports.iter().map(|(id, report)| {
                let mut report = json!(report);
                report["idInstance"] = json!(id);
                report
            });
            let text = json!(reports.collect::<Vec<_>>());
            println!("{}", escaped(&format!("{text:#}")));
        }
    }
    let has_failed = reports.iter().any(|(_, report)| report.failure.is_some());
    Ok(if has_failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Runs one comparison to its end.
async fn reconcile(
    api: &PrivateApi,
    configured: &Configured,
    args: &ReconcileArgs,
) -> Result<Reconciled, Failed> {
    let id = configured.account.id_instance();
    let mut parameters = vec![("dryRun", args.dry_run.to_string())];
    parameters.extend(args.since.clone().map(|since| ("since", since)));
    let progress = ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{spinner} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    let begun = loop {
        match api.reconcile(id, &parameters).await {
            Ok(begun) => break begun,
            // Another comparison of the account runs.
            Err(ReadError::Unavailable(_)) => {
                progress.set_message(format!("{id}: waiting for a comparison that runs"));
                sleep(PAUSE).await;
            }
            Err(error) => return Err(error.into()),
        }
    };
    loop {
        let Some(report) = api.reconciled(id).await? else {
            let text = format!(
                "the server has no account {id}\n  help: restart it with this configuration"
            );
            return Err(Failed(1, text));
        };
        // A later comparison began after this one ended.
        if report.finished_at.is_some() || report.started_at != begun.started_at {
            progress.finish_and_clear();
            return Ok(report);
        }
        progress.set_message(format!(
            "{id}: {} compared, {} missing, {} stored",
            report.found, report.missing, report.stored
        ));
        sleep(PAUSE).await;
    }
}

fn print_table(reports: &[(i64, Reconciled)]) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(
        output,
        "{:<12}  {:>8}  {:>8}  {:>8}  {:>15}  {:>8}",
        "INSTANCE", "FOUND", "MISSING", "STORED", "NOT RECOVERABLE", "STATUSES"
    )?;
    for (id, report) in reports {
        writeln!(
            output,
            "{id:<12}  {:>8}  {:>8}  {:>8}  {:>15}  {:>8}",
            report.found, report.missing, report.stored, report.not_recoverable, report.statuses
        )?;
        if let Some(failure) = &report.failure {
            writeln!(output, "  ended early: {}", plain(failure))?;
            writeln!(
                output,
                "  help: the server's log has the whole error; what was stored stays stored"
            )?;
        }
    }
    Ok(())
}
