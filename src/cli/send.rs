//! `green-inbox send`: simulates GREEN-API against a receiver.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use hyper::header::HeaderValue;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Url;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::http_client::{HttpClient, HttpError, authorization, http_url, reachable, token};
use super::plan::Plan;
use super::sender::{Report, play};
use super::{ConfigArgs, USAGE, fail};
use crate::clock::Clock;
use crate::config::{ConfigError, Token};
use crate::sample::{self, Sample};

/// Smallest lag that the summary reports: timers on a busy machine are no more precise.
const REPORTED_LAG: Duration = Duration::from_millis(100);

/// Options of `send`.
#[derive(Debug, Args)]
pub(super) struct SendArgs {
    /// URL of the webhook [default: the configured one].
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    to: Option<String>,
    /// Token as in webhookUrlToken: `Bearer x`, `Basic y` or a bare token [default: the first configured
    /// token; none with --to].
    #[arg(long, value_name = "TOKEN", value_parser = token)]
    token: Option<Token>,
    /// Only samples with this name or part of a name, such as `textMessage`; repeat the option for several.
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Print the names of the samples and exit.
    #[arg(long)]
    list: bool,
    /// Notifications to send [default: each sample once per instance].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Notifications per second [default: as fast as they are accepted].
    #[arg(long, value_name = "RATE", value_parser = rate, allow_negative_numbers = true)]
    rate: Option<f64>,
    /// Number of instances; consecutive notifications rotate through them.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = up_to(10_000))]
    instances: u32,
    /// Concurrent requests; with more than --instances, the order within an instance is lost.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = up_to(10_000))]
    concurrency: u32,
    /// Pause before a refused notification is retried.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "60",
        value_parser = seconds,
        allow_negative_numbers = true
    )]
    pause: Duration,
    /// Attempts per notification before it counts as failed; 1440 is GREEN-API's 24 hours.
    #[arg(long, value_name = "N", default_value_t = 1440, value_parser = up_to(u32::MAX))]
    attempts: u32,
    #[command(flatten)]
    config: ConfigArgs,
}

fn up_to(most: u32) -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(1..=u64::from(most))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text
        .parse()
        .ok()
        .filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "must be a number above 0".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let day = Duration::from_hours(24);
    let seconds = text.parse().ok();
    let pause = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    pause
        .filter(|pause| *pause <= day)
        .ok_or_else(|| "must be a number of seconds from 0 to 86400".to_owned())
}

#[derive(Debug, thiserror::Error)]
enum UsageError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(
        "no sample has the kind `{0}`\n  help: use a name, or a part of one between slashes, from \
         `green-inbox send --list`"
    )]
    Kind(String),
}

/// Exits 0 if every notification was accepted, 1 if not, 2 on wrong usage.
pub(super) fn run(args: &SendArgs) -> ExitCode {
    let samples = match selected(&args.kinds) {
        Ok(samples) => samples,
        Err(error) => return fail(USAGE, &error),
    };
    if args.list {
        let names: Vec<_> = samples.iter().map(Sample::name).collect();
        print(&format!("{}\n", names.join("\n")));
        return ExitCode::SUCCESS;
    }
    let plan = match build_plan(args, samples) {
        Ok(plan) => plan,
        Err(error) => return fail(USAGE, &error),
    };
    let client = match HttpClient::new() {
        Ok(client) => client,
        Err(error) => return fail(1, &error),
    };
    let report = match Runtime::new() {
        Ok(runtime) => {
            let report = runtime.block_on(send(plan, client));
            // After Ctrl-C, does not wait for a DNS lookup that is still running.
            runtime.shutdown_background();
            report
        }
        Err(error) => return fail(1, &error),
    };
    print(&summary(&report));
    if report.accepted == report.total {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Sends with a progress bar, until Ctrl-C at the latest.
async fn send(plan: Plan, client: HttpClient) -> Report {
    let progress = ProgressBar::new(plan.total).with_style(style());
    let stop = CancellationToken::new();
    let playing = play(plan, client, progress.clone(), stop.clone());
    tokio::pin!(playing);
    let report = tokio::select! {
        report = &mut playing => report,
        Ok(()) = tokio::signal::ctrl_c() => {
            stop.cancel();
            playing.await
        }
    };
    progress.finish_and_clear();
    report
}

fn print(text: &str) {
    // A closed pipe (`| head`) is not a failure.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn selected(kinds: &[String]) -> Result<Vec<Sample>, UsageError> {
    let all = sample::all();
    for kind in kinds {
        if !all.iter().any(|sample| sample.is_kind(kind)) {
            return Err(UsageError::Kind(kind.clone()));
        }
    }
    let is_selected = |sample: &Sample| kinds.iter().any(|kind| sample.is_kind(kind));
    Ok(all
        .into_iter()
        .filter(|sample| kinds.is_empty() || is_selected(sample))
        .collect())
}

fn build_plan(args: &SendArgs, samples: Vec<Sample>) -> Result<Plan, UsageError> {
    let (target, authorization) = destination(args)?;
    let now = Clock::system().now().0;
    Ok(Plan {
        target,
        authorization,
        total: args
            .count
            .unwrap_or(samples.len() as u64 * u64::from(args.instances)),
        samples,
        rate: args.rate,
        instances: args.instances,
        concurrency: args.concurrency,
        pause: args.pause,
        attempts: args.attempts,
        first_serial: getrandom::u64().unwrap_or(now.unsigned_abs()),
        started_at: now.div_euclid(1000),
    })
}

/// The URL and the `Authorization` header. A configured token is sent only to the configured address.
fn destination(args: &SendArgs) -> Result<(Url, Option<HeaderValue>), UsageError> {
    let mut token = args.token.clone();
    let target = if let Some(to) = &args.to {
        http_url(to)?
    } else {
        let ingest = args.config.load()?.ingest;
        if token.is_none() {
            token = ingest.all_tokens()?.into_iter().next();
        }
        http_url(&format!(
            "http://{}{}",
            reachable(ingest.listen),
            ingest.path
        ))?
    };
    let header = token.as_ref().map(authorization).transpose()?.flatten();
    Ok((target, header))
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:32} {pos} of {len}, {per_sec}\n{msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn summary(report: &Report) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<13}{value}");
    };
    let Report {
        total,
        accepted,
        failed,
        ..
    } = report;
    line("accepted", format!("{accepted} of {total}"));
    line("repeated", report.retries.to_string());
    line("failed", failed.to_string());
    let unfinished = total.saturating_sub(accepted + failed);
    if unfinished > 0 {
        line("unfinished", format!("{unfinished} (interrupted)"));
    }
    line("rate", format!("{:.1} per second", report.rate()));
    for (name, percent) in [("p50", 50), ("p99", 99)] {
        let took = report.latencies.percentile(percent);
        let shown = took.map(|took| format!("{:.2} ms", took.as_secs_f64() * 1000.0));
        line(name, shown.unwrap_or_else(|| "-".to_owned()));
    }
    if report.behind >= REPORTED_LAG {
        line(
            "behind rate",
            format!("{:.1} s at most", report.behind.as_secs_f64()),
        );
    }
    if let Some(refusal) = &report.last_refusal {
        line("last refusal", refusal.reason.clone());
        if let Some(help) = help(refusal.code.as_deref()) {
            line("", format!("help: {help}"));
        }
    }
    text
}

/// The fix for a refusal that no retry can cure.
fn help(code: Option<&str>) -> Option<&'static str> {
    match code? {
        "unauthorized" => Some("give the receiver's token with --token"),
        "source-not-allowed" => Some("add this machine's address to ingest.allowed_sources"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{rate, seconds, selected};

    #[test]
    fn invalid_rates_and_pauses_are_refused() {
        assert!(rate("0.5").is_ok() && seconds("0").is_ok() && seconds("1.5").is_ok());
        assert!(
            ["0", "-1", "NaN", "inf", "x"]
                .iter()
                .all(|text| rate(text).is_err())
        );
        assert!(
            ["-1", "NaN", "inf", "x", "86401"]
                .iter()
                .all(|text| seconds(text).is_err())
        );
    }

    #[test]
    fn kinds_select_samples_and_an_unknown_kind_is_named() {
        let all = selected(&[]).unwrap().len();
        let some = selected(&["max".to_owned(), "textMessage".to_owned()])
            .unwrap()
            .len();
        assert!(some > 0 && some < all);
        let error = selected(&["max".to_owned(), "nothing".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("`nothing`"));
    }
}
