//! `green-inbox tail`: the newest events, and those that come.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::sleep;

use super::private_api::{FilterArgs, PrivateApi, ReadError, SourceArgs, seq};
use super::reading::{self, ReadingError};
use super::terminal::{json_line, plain};

/// Wait before a server that does not answer is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// How long the server waits for news, the most that it does.
const WAIT_SECONDS: u32 = 60;

/// Events of a page, the most that there are.
const MAX_PAGE: u32 = 500;

#[derive(Debug, Args)]
pub(super) struct TailArgs {
    /// Go on with what comes, until Ctrl-C, also when the server is started again.
    #[arg(short, long)]
    follow: bool,
    /// Begin with so many of the newest.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(0..=i64::from(MAX_PAGE)))]
    lines: u32,
    /// Begin behind this seq.
    #[arg(long, value_name = "SEQ", conflicts_with = "lines",
          value_parser = clap::value_parser!(i64).range(0..))]
    after: Option<i64>,
    /// How an event is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    filters: FilterArgs,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for people.
    Text,
    /// A line of JSON, with the body.
    Json,
}

pub(super) fn run(args: &TailArgs) -> ExitCode {
    reading::run(&args.source, async |api| Tail { api, args }.run().await)
}

struct Tail<'a> {
    api: PrivateApi,
    args: &'a TailArgs,
}

impl Tail<'_> {
    async fn run(&self) -> Result<(), ReadingError> {
        let mut seen = match self.args.after {
            Some(after) => after,
            None => self.newest().await?,
        };
        if self.args.follow {
            loop {
                match self.page_behind(seen, WAIT_SECONDS).await {
                    Ok(last) => seen = last.unwrap_or(seen),
                    Err(ReadingError::Read(ReadError::Rewound(reason))) => {
                        eprintln!("{reason}; going on with what comes now");
                        seen = self.api.newest_seq().await?;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        if self.args.after.is_some() {
            while let Some(last) = self.page_behind(seen, 0).await? {
                seen = last;
            }
        }
        Ok(())
    }

    /// Writes the newest that fit the filters; gives the seq that everything later is behind.
    async fn newest(&self) -> Result<i64, ReadingError> {
        let seen = self.api.newest_seq().await?;
        if self.args.lines == 0 {
            return Ok(seen);
        }
        let mut parameters = self.parameters();
        parameters.push(("limit", self.args.lines.to_string()));
        let mut events = self.api.events(&parameters).await?.data;
        events.reverse();
        let newest = self.write(&events)?;
        Ok(newest.map_or(seen, |newest| newest.max(seen)))
    }

    /// Writes what is behind a seq; gives the last one, if there is any. While it follows, a server
    /// that does not answer is asked until it does.
    async fn page_behind(&self, seen: i64, wait: u32) -> Result<Option<i64>, ReadingError> {
        let mut parameters = self.parameters();
        parameters.push(("after", seen.to_string()));
        parameters.push(("wait", wait.to_string()));
        parameters.push(("limit", MAX_PAGE.to_string()));
        let mut is_told = false;
        loop {
            match self.api.events(&parameters).await {
                Ok(page) => return self.write(&page.data),
                Err(error) if self.args.follow && error.passes() => {
                    if !is_told {
                        eprintln!("{error}; asking again every second");
                        is_told = true;
                    }
                    sleep(PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = self.args.filters.parameters();
        if self.args.format == Format::Json {
            parameters.push(("body", "true".to_owned()));
        }
        parameters
    }

    /// Writes events; gives the last seq.
    fn write(&self, events: &[Box<RawValue>]) -> Result<Option<i64>, ReadingError> {
        let mut output = io::stdout().lock();
        for event in events {
            match self.args.format {
                Format::Json => writeln!(output, "{}", json_line(event.get()))?,
                Format::Text => writeln!(output, "{}", line(event)?)?,
            }
        }
        output.flush()?;
        Ok(events.last().map(|event| seq(event)).transpose()?)
    }
}

/// Where a field stands that does not fit.
#[derive(Deserialize)]
struct Drift {
    path: String,
}

/// What a line for people is made of.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    seq: i64,
    received_at: String,
    deliveries: i64,
    outcome: String,
    reason: Option<String>,
    #[serde(default)]
    drift: Vec<Drift>,
    id_instance: Option<i64>,
    type_webhook: Option<String>,
    type_message: Option<String>,
    chat_id: Option<String>,
}

fn line(event: &RawValue) -> Result<String, serde_json::Error> {
    let shown: Shown = serde_json::from_str(event.get())?;
    let mut line = format!(
        "{:>8}  {}  {:<9}",
        shown.seq, shown.received_at, shown.outcome
    );
    let mut add = |text: &str| {
        line.push_str("  ");
        // A name that came from outside must not steer a terminal.
        line.push_str(&plain(text));
    };
    add(shown.type_webhook.as_deref().unwrap_or("-"));
    let id_instance = shown.id_instance.map(|id| id.to_string());
    for text in [shown.type_message, id_instance, shown.chat_id]
        .iter()
        .flatten()
    {
        add(text);
    }
    if shown.deliveries > 1 {
        add(&format!("came {} times", shown.deliveries));
    }
    if let Some(reason) = shown.reason {
        add(&reason);
    }
    if !shown.drift.is_empty() {
        let paths: Vec<_> = shown.drift.iter().map(|drift| &*drift.path).collect();
        add(&format!("drift: {}", paths.join(", ")));
    }
    Ok(line)
}
