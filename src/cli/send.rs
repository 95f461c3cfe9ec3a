//! `green-inbox send`: plays GREEN-API against a receiver.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use hyper::Uri;
use hyper::header::HeaderValue;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::http_client::{HttpClient, HttpError, authorization, http_uri, reachable, token};
use super::plan::Plan;
use super::sender::{Report, play};
use super::{ConfigArgs, USAGE, fail};
use crate::clock::Clock;
use crate::config::{ConfigError, Token};
use crate::sample::{self, Sample};

/// Behind the rate by less than this is not worth a line: timers are no finer on a busy machine.
const WORTH_SAYING: Duration = Duration::from_millis(100);

/// What can be said about the sending.
#[derive(Debug, Args)]
pub(super) struct SendArgs {
    /// Where to send, instead of the webhook of the configuration.
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    to: Option<String>,
    /// As in webhookUrlToken: `Bearer x`, `Basic y` or a bare token [default: the first configured
    /// one; with --to none].
    #[arg(long, value_name = "TOKEN", value_parser = token)]
    token: Option<Token>,
    /// Only samples with this name or part of a name, as `textMessage`; may be given several times.
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Print the names of the samples and end.
    #[arg(long)]
    list: bool,
    /// Notifications in all [default: each sample once for each instance].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Notifications a second [default: as fast as they are accepted].
    #[arg(long, value_name = "RATE", value_parser = rate, allow_negative_numbers = true)]
    rate: Option<f64>,
    /// Instances that take turns.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = up_to(10_000))]
    instances: u32,
    /// Requests at one time; more of them than instances gives up the order.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = up_to(10_000))]
    concurrency: u32,
    /// Wait before a refused notification is sent again.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "60",
        value_parser = seconds,
        allow_negative_numbers = true
    )]
    pause: Duration,
    /// Times that a notification is sent until it counts as failed; 1440 make GREEN-API's 24 hours.
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
    rate.ok_or_else(|| "it must be a number above 0".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let day = Duration::from_hours(24);
    let seconds = text.parse().ok();
    let pause = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    pause
        .filter(|pause| *pause <= day)
        .ok_or_else(|| "it must be a number of seconds from 0 to 86400".to_owned())
}

#[derive(Debug, thiserror::Error)]
enum UsageError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(
        "there is no sample of the kind `{0}`\n  help: take a name, or a part of one between \
         slashes, from `green-inbox send --list`"
    )]
    Kind(String),
}

/// Exits 0 when all was accepted, 1 when not, 2 when it was called wrongly.
pub(super) fn run(args: &SendArgs) -> ExitCode {
    let samples = match chosen(&args.kinds) {
        Ok(samples) => samples,
        Err(error) => return fail(USAGE, &error),
    };
    if args.list {
        let names: Vec<_> = samples.iter().map(Sample::name).collect();
        say(&format!("{}\n", names.join("\n")));
        return ExitCode::SUCCESS;
    }
    let plan = match planned(args, samples) {
        Ok(plan) => plan,
        Err(error) => return fail(USAGE, &error),
    };
    let report = match Runtime::new() {
        Ok(runtime) => {
            let report = runtime.block_on(send(plan));
            // A look-up of a name may still run; after Ctrl-C it is not waited for.
            runtime.shutdown_background();
            report
        }
        Err(error) => return fail(1, &error),
    };
    say(&summary(&report));
    if report.accepted == report.total {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Plays with a progress bar, until Ctrl-C at the latest.
async fn send(plan: Plan) -> Report {
    let progress = ProgressBar::new(plan.total).with_style(style());
    let stop = CancellationToken::new();
    let playing = play(plan, HttpClient::new(), progress.clone(), stop.clone());
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

fn say(text: &str) {
    // A reader that has seen enough (`| head`) is no failure.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn chosen(kinds: &[String]) -> Result<Vec<Sample>, UsageError> {
    let all = sample::all();
    for kind in kinds {
        if !all.iter().any(|sample| sample.is_kind(kind)) {
            return Err(UsageError::Kind(kind.clone()));
        }
    }
    let is_chosen = |sample: &Sample| kinds.iter().any(|kind| sample.is_kind(kind));
    Ok(all
        .into_iter()
        .filter(|sample| kinds.is_empty() || is_chosen(sample))
        .collect())
}

fn planned(args: &SendArgs, samples: Vec<Sample>) -> Result<Plan, UsageError> {
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

/// Where to, with what token. A configured token goes to the configured address only.
fn destination(args: &SendArgs) -> Result<(Uri, Option<HeaderValue>), UsageError> {
    let mut token = args.token.clone();
    let target = if let Some(to) = &args.to {
        http_uri(to)?
    } else {
        let ingest = args.config.load()?.ingest;
        if token.is_none() {
            token = ingest.all_tokens()?.into_iter().next();
        }
        http_uri(&format!(
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
        // A `String` takes all that is written to it.
        let _ = writeln!(text, "{name:<13}{value}");
    };
    let Report {
        total,
        accepted,
        failed,
        ..
    } = report;
    line("accepted", format!("{accepted} of {total}"));
    line("repeated", report.repeated.to_string());
    line("failed", failed.to_string());
    let unfinished = total.saturating_sub(accepted + failed);
    if unfinished > 0 {
        line("unfinished", format!("{unfinished} (interrupted)"));
    }
    line("rate", format!("{:.1} a second", report.rate()));
    for (name, percent) in [("p50", 50), ("p99", 99)] {
        let took = report.latencies.percentile(percent);
        let shown = took.map(|took| format!("{:.2} ms", took.as_secs_f64() * 1000.0));
        line(name, shown.unwrap_or_else(|| "-".to_owned()));
    }
    if report.behind >= WORTH_SAYING {
        line(
            "behind rate",
            format!("{:.1} s at worst", report.behind.as_secs_f64()),
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

/// What to do about a refusal that repeating does not cure.
fn help(code: Option<&str>) -> Option<&'static str> {
    match code? {
        "unauthorized" => Some("give the token of the receiver with --token"),
        "source-not-allowed" => Some("list this machine's address in ingest.allowed_sources"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{chosen, rate, seconds};

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
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
    fn kinds_choose_and_an_unknown_one_is_named() {
        let all = chosen(&[]).unwrap().len();
        let some = chosen(&["max".to_owned(), "textMessage".to_owned()])
            .unwrap()
            .len();
        assert!(some > 0 && some < all);
        let error = chosen(&["max".to_owned(), "nothing".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("`nothing`"));
    }
}
